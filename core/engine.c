/* engine.c - the versions that decide, as found at run time: a library may be newer than at build time. */
#include "core/engine.h"

#include "core/hash.h"
#include "core/version.h"

#include <glib.h>
#include <gmime/gmime.h>
#include <gnu/libc-version.h>
#include <libxml/parser.h>
#include <libxml/xmlversion.h>
#include <string.h>

char *engine_describe(const char *classifier)
{
	return g_strdup_printf("posteingang %s\ngmime %u.%u.%u\nlibxml2 %s\nglib %u.%u.%u\nlibc %s\n%s%s",
	        POSTEINGANG_VERSION, gmime_major_version, gmime_minor_version, gmime_micro_version,
	        xmlParserVersion, glib_major_version, glib_minor_version, glib_micro_version,
	        gnu_get_libc_version(), classifier ? classifier : "", classifier ? "\n" : "");
}

char *engine_hash(const char *classifier)
{
	g_autofree char *text = engine_describe(classifier);
	char hex[HASH_HEX_SIZE];
	hash_hex(text, strlen(text), hex);
	return g_strdup(hex);
}
