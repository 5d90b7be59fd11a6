#ifndef KITH_KITH_DEMO_STORY_H
#define KITH_KITH_DEMO_STORY_H

/* The story built in: the text of demo.story, which the build turns into C. */

extern const char demo_story[];

#endif
