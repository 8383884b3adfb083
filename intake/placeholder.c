/* placeholder.c - keeps the room's library until its first file lands. */
int intake_placeholder(void);
int intake_placeholder(void)
{
	return 0;
}
