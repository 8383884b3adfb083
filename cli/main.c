/* main.c - the command `posteingang`. */
#include "cli/command.h"
#include "core/mail.h"

#include <locale.h>
#include <malloc.h>
#include <signal.h>

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* no decision depends on a locale; terminals get UTF-8 */
	signal(SIGPIPE, SIG_IGN);
	/* A batch frees thousands of small pieces: joining them at once costs less than all at the next large
	 * allocation (routing: some 4 % of the processor time). */
	mallopt(M_MXFAST, 0);
	mail_setup();
	return command_main(argc, argv);
}
