/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target over files and folders of files, without libFuzzer: the corpus as a test.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static size_t runs;

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)info.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1); /* exactly its size, so that sanitizers see overreads */
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        return 1;
    }
    fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    runs++;
    return 0;
}

static int run_folder(const char *path, DIR *folder)
{
    int result = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char file[4096];
        if (entry->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            result |= run_file(file);
        }
    }
    return result;
}

int main(int argc, char **argv)
{
    int result = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder == NULL) {
            result |= run_file(argv[i]);
        } else {
            result |= run_folder(argv[i], folder);
            closedir(folder);
        }
    }
    printf("%zu inputs\n", runs);
    return runs > 0 ? result : 1;
}
