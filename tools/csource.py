"""Reading C source, for the checks: files of a tree, and code without comments and strings."""

import re

_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(*folders):
    """The .c and .h files below the folders, in order; folders that are not there count as empty."""
    return sorted(path for folder in folders for path in folder.rglob("*.[ch]"))


def code(text):
    """The text with comments and strings blanked, every line where it was."""
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def calls(text, names):
    """(line number, name) wherever one of the names is called; a member of that name is not."""
    pattern = re.compile(r"(?<![>.])\b(%s)\s*\(" % "|".join(map(re.escape, names)))
    for number, line in enumerate(code(text).splitlines(), 1):
        for match in pattern.finditer(line):
            yield number, match.group(1)
