/* host_yaml.h: settings out of YAML 1.2 by libfyaml, with the exact place of every problem. */
#ifndef GOSSAMER_HOST_YAML_H
#define GOSSAMER_HOST_YAML_H

#include "host_config.h"

#define HOST_YAML_SIZE_MAX (1u << 20) /* bytes of a configuration file; no reason but a bound */

/* host_yaml_file takes over what a file says; problems are noted in the configuration. */
void host_yaml_file(struct host_config *config, const char *path);
/* host_yaml_text is the same for a text, `source` being its name. */
void host_yaml_text(struct host_config *config, const char *text, const char *source);
/* host_yaml_value adds to one setting what a text in flow style says. */
void host_yaml_value(struct host_config *config, int id, const char *text, const char *source);

#endif
