/* placeholder.c - keeps the room's library until its first file lands. */
int facts_placeholder(void);
int facts_placeholder(void)
{
	return 0;
}
