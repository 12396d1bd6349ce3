/* judge.c: `judge FILE...`: every checker on histories that were kept, so that an old failure can
 * be looked at again. Exit status 0 when all are clean, 1 when not, 2 when one is no history. */
#include "check_all.h"

static int judge(const char *path)
{
    struct history history;
    FILE *file = fopen(path, "re");
    char why[160] = "cannot be opened";
    bool is_loaded = file && history_load(&history, file, why, sizeof why);
    struct check_all all;

    if (file)
        fclose(file);
    if (!is_loaded) {
        fprintf(stderr, "judge: %s: %s\n", path, why);
        return 2;
    }
    printf("%s: %u operations\n", path, history.count);
    all = check_all(&history, stdout);
    history_free(&history);
    return all.failed ? 1 : 0;
}

int main(int count, char **paths)
{
    int worst = count < 2 ? 2 : 0;

    if (count < 2)
        fprintf(stderr, "usage: judge FILE...\n");
    for (int i = 1; i < count; i++) {
        int status = judge(paths[i]);

        worst = status > worst ? status : worst;
    }
    return worst;
}
