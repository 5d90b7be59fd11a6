# Text, to the C source of a string, a line a line: demo_story.h.
s/\\/\\\\/g
s/"/\\"/g
s/.*/    "&\\n"/
1i\
#include "kith/demo_story.h"\
const char demo_story[] =
$a\
    ;
