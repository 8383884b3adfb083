/* main.c - the command `posteingang`. */
int main(void)
{
	return 64;
}
