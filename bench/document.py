"""What a run of several parts writes down."""

import subprocess

from figures import BAR_HEAD, Bar, table


def compose(head, where, bars, texts):
    """where: the lines that say on what was measured."""
    lines = "".join(f"- {line}\n" for line in where)
    met = sum(bar.is_met() for bar in bars)
    return (f"{head}{lines}\n## The bars: {met} of {len(bars)} met\n\n"
            f"{table(BAR_HEAD, [bar.row() for bar in bars])}\n## The figures\n\n"
            + "\n".join(texts))


def publish(run, parts, names, head, where, path):
    """Measures the parts named, all without a name, and prints them; where all were measured, and
    there is a path, writes them down. where: as for compose, once it is all measured."""
    bars, texts = [], []
    for name in names or parts:
        more, text = measure_part(run, name, parts[name])
        bars += more
        texts.append(text)
    document = compose(head, where(), bars, texts)
    print(document)
    if path and not names:
        path.write_text(document)
        run.say(f"written to {path}")


def measure_part(run, name, measure):
    """A part that fails leaves its bar missed, and the others their figures."""
    try:
        return measure(run)
    except (RuntimeError, OSError, subprocess.SubprocessError) as e:
        run.say(f"{name}: {e}")
        return [Bar(f"{name}: {str(e).splitlines()[0]}", 0)], f"### {name}\n\nNot measured.\n"
