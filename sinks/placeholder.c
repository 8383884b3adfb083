/* placeholder.c - keeps the room's library until its first file lands. */
int sinks_placeholder(void);
int sinks_placeholder(void)
{
	return 0;
}
