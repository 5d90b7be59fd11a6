#include "wire/endpoint.h"

#include "unit.h"

struct row {
    const char *text, *address; /* NULL: it is refused */
    uint16_t port;
};

static const struct row rows[] = {
    {"127.0.0.1:1024", "127.0.0.1", 1024},
    {"192.168.1.7:65535", "192.168.1.7", 65535},
    {"[::]:2000", "::", 2000},
    {"[::1]:2000", "::1", 2000},
    {"[fe80::1:2]:2000", "fe80::1:2", 2000},
    {"[2001:DB8:0:0:1:0:0:1]:2000", "2001:db8::1:0:0:1", 2000},
    {"[1:2:3:4:5:6:7:8]:2000", "1:2:3:4:5:6:7:8", 2000},
    {"[1:2:3:4:5:6:7::]:2000", "1:2:3:4:5:6:7:0", 2000},
    {"[1::]:2000", "1::", 2000},
    {"[::ffff:10.0.0.1]:2000", "10.0.0.1", 2000},
    {"127.0.0.1:1", "127.0.0.1", 1},
    {"[::ffff:a00:1]:2000", "10.0.0.1", 2000},
    {"[1:2:3:4:5:6:1.2.3.4]:1", "1:2:3:4:5:6:102:304", 1},
    {"127.0.0.1:0", NULL, 0},
    {":", NULL, 0},
    {"1.2.3.4: 1", NULL, 0},
    {"[1.2.3.4]:1", NULL, 0},
    {"[:1]:1", NULL, 0},
    {"[1:]:1", NULL, 0},
    {"[:::]:1", NULL, 0},
    {"[g::]:1", NULL, 0},
    {"[::1.2.3.4.5]:1", NULL, 0},
    {"127.0.0.1:65536", NULL, 0},
    {"127.0.0.1:02000", NULL, 0},
    {"127.0.0.1:", NULL, 0},
    {"127.0.0.1", NULL, 0},
    {"127.0.0:2000", NULL, 0},
    {"127.0.0.1.1:2000", NULL, 0},
    {"127.0.0.256:2000", NULL, 0},
    {"127.0.0.01:2000", NULL, 0},
    {"localhost:2000", NULL, 0},
    {"::1:2000", NULL, 0},
    {"[::1]", NULL, 0},
    {"[::1]2000", NULL, 0},
    {"[::1", NULL, 0},
    {"[]:2000", NULL, 0},
    {"[:::1]:2000", NULL, 0},
    {"[1::2::3]:2000", NULL, 0},
    {"[1:2:3:4:5:6:7]:2000", NULL, 0},
    {"[1:2:3:4:5:6:7:8:9]:2000", NULL, 0},
    {"[1:2:3:4::5:6:7:8]:2000", NULL, 0},
    {"[12345::]:2000", NULL, 0},
    {"[fe80::1%eth0]:2000", NULL, 0},
    {"[1.2.3.4::]:2000", NULL, 0},
    {"[::127.0.0.1:1]:2000", NULL, 0},
    {"", NULL, 0},
    {"[0000:0000:0000:0000:0000:0000:0000:0000]:2000 and what follows it", NULL, 0},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes text = unit_copy(bytes_from_str(rows[i].text));
        struct endpoint e;
        bool read = endpoint_read(text, &e);
        if (read != (rows[i].address != NULL))
            print_error("%s\n", rows[i].text);
        assert_int_equal(read, rows[i].address != NULL);
        if (read) {
            char out[NET_ADDRESS_TEXT_BYTES], whole[ENDPOINT_TEXT_BYTES];
            struct endpoint again;
            net_address_write(out, &e.address);
            assert_string_equal(out, rows[i].address);
            assert_int_equal(e.port, rows[i].port);
            endpoint_write(whole, &e);
            assert_true(endpoint_read(bytes_from_str(whole), &again));
            assert_true(endpoint_equal(&e, &again));
        }
        unit_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
