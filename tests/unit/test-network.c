/* Addresses, published ports and the table of nftables. */
#include "config.h"

#include "brand/base/error.h"
#include "loader/net/address.h"
#include "loader/net/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void
test_addresses (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "",        "10.1.2",     "10.1.2.3/33", "10.1.2.3/",
                                     "a.b.c.d", "fd00::1/129", "fe80::1%eth0", "1.2.3.4/-1" };
  BzAddress address;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (bz_address_parse (bad[i], AF_UNSPEC, &address));
  assert_false (bz_address_parse ("fd00::1", AF_INET, &address));
  assert_true (bz_address_parse ("10.1.2.3", AF_UNSPEC, &address));
  assert_int_equal (address.prefix, 32);
  assert_true (bz_address_parse ("10.1.2.3/20", AF_INET, &address));
  BzAddress network = bz_address_network (&address);
  g_autofree char *text = bz_address_text_prefix (&network);
  assert_string_equal (text, "10.1.0.0/20");
  BzAddress host = bz_address_host (&address, 0x1fff); /* more than fits: the network's part stays */
  g_autofree char *host_text = bz_address_text (&host);
  assert_string_equal (host_text, "10.1.15.255");
  assert_true (bz_address_parse ("fd62:7a00::/64", AF_INET6, &address));
  host = bz_address_host (&address, 0x10002);
  g_autofree char *six = bz_address_text_prefix (&host);
  assert_string_equal (six, "fd62:7a00::1:2/64");
}

static void
test_macs (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "", "02:00:5e:10:20", "02:00:5e:10:20:30:40", "02:00:5e:10:20:zz",
                                     "02:00:5e:10:20:100" };
  guint8 mac[6];

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_false (bz_mac_parse (bad[i], mac));
  assert_true (bz_mac_parse ("02:00:5e:10:20:30", mac));
  assert_int_equal (mac[2], 0x5e);
}

static gboolean
overlap (const char *a, const char *b)
{
  BzAddress first, second;

  assert_true (bz_address_parse (a, AF_UNSPEC, &first));
  assert_true (bz_address_parse (b, AF_UNSPEC, &second));
  return bz_address_overlap (&first, &second);
}

static void
test_overlap (void **state G_GNUC_UNUSED)
{
  assert_true (overlap ("10.0.0.0/8", "10.213.0.0/24"));
  assert_true (overlap ("10.213.0.7", "10.213.0.0/24"));
  assert_false (overlap ("10.213.1.0/24", "10.213.0.0/24"));
  assert_false (overlap ("fd00::/8", "10.213.0.0/24"));
  assert_true (overlap ("fd62:7a00::/32", "fd62:7a00:1::/64"));
}

static void
test_publish (void **state G_GNUC_UNUSED)
{
  static const char *const bad[] = { "",          "80",        "80:",       ":80",
                                     "0:80",      "80:65536",  "8-5:8-5",   "80-81:80",
                                     "80:80/sctp", "host:1:2", "[::1:1:2",  "::1:1:2",
                                     "1.2.3.4/8:1:2", "1-300:1-300", "80:80/" };
  static const struct {
    const char *text, *first;
    guint count;
  } good[] = { { "8080:80", "8080:80/tcp", 1 },
               { "53:53/udp", "53:53/udp", 1 },
               { "127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp", 1 },
               { "[::1]:8080:80/tcp", "[::1]:8080:80/tcp", 1 },
               { "8000-8009:80-89", "8000:80/tcp", 10 } };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GPtrArray) list =
          g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
      assert_non_null (bz_publish_parse (bad[i], list));
      assert_int_equal (list->len, 0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GPtrArray) list =
          g_ptr_array_new_with_free_func ((GDestroyNotify) bz_publish_free);
      assert_null (bz_publish_parse (good[i].text, list));
      assert_int_equal (list->len, good[i].count);
      g_autofree char *text = bz_publish_text (g_ptr_array_index (list, 0));
      assert_string_equal (text, good[i].first);
    }
}

static void
test_settings_round_trip (void **state G_GNUC_UNUSED)
{
  g_autoptr (BzNetSettings) settings = bz_net_settings_new ();
  g_autoptr (GError) error = NULL;

  settings->address = g_strdup ("10.1.2.3/24");
  settings->parent = g_strdup ("eth7");
  settings->configure = BZ_CONFIGURE_DHCP;
  assert_null (bz_publish_parse ("[::1]:1-3:1-3/udp", settings->publish));
  g_autoptr (GVariant) flat = g_variant_ref_sink (bz_net_settings_to_variant (settings));
  g_autoptr (BzNetSettings) back = bz_net_settings_from_variant (flat, &error);
  assert_non_null (back);
  assert_string_equal (back->address, "10.1.2.3/24");
  assert_string_equal (back->parent, "eth7");
  assert_null (back->gateway);
  assert_int_equal (back->configure, BZ_CONFIGURE_DHCP);
  assert_int_equal (back->publish->len, 3);
  g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  assert_null (bz_net_settings_from_variant (nothing, &error));
  assert_true (g_error_matches (error, BZ_ERROR, BZ_ERROR_INPUT));
}

static void
test_interface_names (void **state G_GNUC_UNUSED)
{
  assert_true (bz_interface_valid ("eth0"));
  assert_true (bz_interface_valid ("enp3s0.100"));
  assert_false (bz_interface_valid (""));
  assert_false (bz_interface_valid (".."));
  assert_false (bz_interface_valid ("a/b"));
  assert_false (bz_interface_valid ("sixteen-letters-"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_addresses),
    cmocka_unit_test (test_macs),
    cmocka_unit_test (test_overlap),
    cmocka_unit_test (test_publish),
    cmocka_unit_test (test_settings_round_trip),
    cmocka_unit_test (test_interface_names),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
