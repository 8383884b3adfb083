/* placeholder.c - keeps the room's library until its first file lands. */
int journal_placeholder(void);
int journal_placeholder(void)
{
	return 0;
}
