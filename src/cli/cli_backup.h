/* cli_backup.h: what backup and restore share. */
#ifndef GOSSAMER_CLI_BACKUP_H
#define GOSSAMER_CLI_BACKUP_H

#include "cli_archive.h"
#include "cli_room.h"

/* cli_ask_patiently asks again, through one address after the other, while the answer is that it
 * cannot be done now; tells problems. Both kinds of pages may be asked for twice. */
int cli_ask_patiently(const struct cli *cli, const struct cli_request *request,
                      struct cli_reply *reply);
/* cli_backup_note writes rows, bytes and rate behind a progress bar. */
const char *cli_backup_note(const struct archive_totals *totals, double started_s, char room[80]);
/* cli_archive_verify reads a whole archive; what is wrong is told. `header` may be NULL. */
int cli_archive_verify(const char *path, struct archive_totals *totals, json_t **header);
/* cli_settings_put adds the settings of the cluster's namespaces, or of the one that is asked for,
 * to a new archive; cli_settings_set sets those of a SETTINGS block. Exit codes; told already. */
int cli_settings_put(const struct cli *cli, struct archive *archive);
int cli_settings_set(const struct cli *cli, struct slice text);

#endif
