/* From a service's item to a `classify` line. */
#include "intake/queue_map.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct queue_map map = {
        .id = (char *)"/id",
        .received = (char *)"/received",
        .subject = (char *)"/betreff",
        .attachments = (char *)"/files",
        .attachment_name = (char *)"/n",
        .attachment_type = (char *)"/t",
        .form_kind = (char *)"/form/kind",
};

static char *fields_of(const char *text)
{
	JSON_AUTO object = json_read(text, strlen(text), NULL);
	JSON_AUTO fields = queue_map_fields(&map, CHANNEL_ESERVICE, object);
	return json_canonical(fields);
}

static char *id_of(const char *text)
{
	JSON_AUTO object = json_read(text, strlen(text), NULL);
	return queue_map_id(&map, object);
}

Test(queue_map, fields_go_where_the_line_wants_them)
{
	g_autofree char *fields =
	        fields_of("{\"id\":7,\"betreff\":\"Umzug\",\"form\":{\"kind\":\"umzug\"},"
	                  "\"files\":[{\"n\":\"a.pdf\",\"t\":\"application/pdf\",\"data\":\"AAAA\"}]}");
	cr_assert_str_eq(fields, "{\"attachments\":[{\"name\":\"a.pdf\",\"type\":\"application/pdf\"}],"
	                         "\"channel\":\"eservice\",\"form\":{\"kind\":\"umzug\"},\"id\":\"7\","
	                         "\"subject\":\"Umzug\"}");
}

Test(queue_map, absent_and_null_values_leave_no_key)
{
	g_autofree char *fields = fields_of("{\"id\":\"x\",\"betreff\":null}");
	cr_assert_str_eq(fields, "{\"channel\":\"eservice\",\"id\":\"x\"}");
}

Test(queue_map, a_value_of_a_wrong_type_is_passed_on_not_dropped)
{
	g_autofree char *fields = fields_of("{\"id\":\"x\",\"betreff\":{\"a\":1},\"files\":3}");
	cr_assert_str_eq(
	        fields, "{\"attachments\":3,\"channel\":\"eservice\",\"id\":\"x\",\"subject\":{\"a\":1}}");
}

Test(queue_map, only_short_printable_ids_are_ids)
{
	g_autofree char *number = id_of("{\"id\":12}"), *text = id_of("{\"id\":\"a b\"}"),
	                *empty = id_of("{\"id\":\"\"}"), *none = id_of("{}"),
	                *line = id_of("{\"id\":\"a\\nb\"}"), *nul = id_of("{\"id\":\"a\\u0000b\"}"),
	                *list = id_of("{\"id\":[1]}");
	cr_assert_str_eq(number, "12");
	cr_assert_str_eq(text, "a b");
	cr_assert(!empty && !none && !line && !nul && !list);
}
