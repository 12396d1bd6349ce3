/* gossamer: the command line tool; everything is in the room cli. */
#include "cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
