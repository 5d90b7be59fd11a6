/* Runs a fuzz target over every file of a folder, in place of libFuzzer:
 *     fuzz_NAME FOLDER
 * An input lies in memory of exactly its size, so that the sanitizers see a byte too far. */

#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool replay(const char *folder, const char *name)
{
    char path[4096];
    struct stat st;
    uint8_t *data = NULL;
    FILE *file = NULL;
    bool done = false;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (stat(path, &st) != 0 || !(file = fopen(path, "rb")))
        goto out;
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data || fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
        goto out;
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    done = true;
out:
    if (!done)
        perror(path);
    if (file)
        fclose(file);
    free(data);
    return done;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    size_t count = 0;
    bool ok = true;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (struct dirent *e; ok && (e = readdir(folder));) {
        if (e->d_name[0] == '.')
            continue;
        ok = replay(argv[1], e->d_name);
        count++;
    }
    closedir(folder);
    printf("%zu inputs\n", count);
    return ok && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
