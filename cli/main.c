/* main.c - the command `posteingang`. */
#include "cli/command.h"
#include "core/mail.h"

#include <locale.h>
#include <signal.h>

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* no decision depends on a locale; terminals get UTF-8 */
	signal(SIGPIPE, SIG_IGN);
	mail_setup();
	return command_main(argc, argv);
}
