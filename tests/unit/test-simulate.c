/* The interpreter of classic BPF: arithmetic, jumps, and what the kernel refuses. */
#include "config.h"

#include "syscall-xlat/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static guint32
run (const struct sock_filter *program, gsize count)
{
  struct seccomp_data data = { .nr = 7,
                               .arch = 0xc000003e,
                               .instruction_pointer = 0x1122334455667788,
                               .args = { 0x0102030405060708 } };
  guint32 action = 0xbad;

  assert_true (bz_simulate_check (program, count, NULL));
  assert_true (bz_simulate (program, count, &data, &action, NULL, NULL));
  return action;
}

#define RUN(...) \
  run ((const struct sock_filter[]){ __VA_ARGS__ }, \
       G_N_ELEMENTS (((const struct sock_filter[]){ __VA_ARGS__ })))
#define LOAD(at) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, at)
#define SET(value) BPF_STMT (BPF_LD | BPF_IMM, value)
#define SETX(value) BPF_STMT (BPF_LDX | BPF_IMM, value)
#define DO(op, value) BPF_STMT (BPF_ALU | (op) | BPF_K, value)
#define DOX(op) BPF_STMT (BPF_ALU | (op) | BPF_X, 0)
#define RETURN_A BPF_STMT (BPF_RET | BPF_A, 0)
#define RETURN(value) BPF_STMT (BPF_RET | BPF_K, value)

static void
test_loads (void **state)
{
  (void) state;
  assert_int_equal (RUN (LOAD (0), RETURN_A), 7);
  assert_int_equal (RUN (LOAD (4), RETURN_A), 0xc000003e);
  assert_int_equal (RUN (LOAD (8), RETURN_A), 0x55667788);
  assert_int_equal (RUN (LOAD (16), RETURN_A), 0x05060708);
  assert_int_equal (RUN (LOAD (20), RETURN_A), 0x01020304);
  assert_int_equal (RUN (LOAD (60), RETURN_A), 0);
  assert_int_equal (RUN (BPF_STMT (BPF_LD | BPF_W | BPF_LEN, 0), RETURN_A), 64);
  assert_int_equal (RUN (BPF_STMT (BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT (BPF_MISC | BPF_TXA, 0),
                         RETURN_A),
                    64);
}

static void
test_arithmetic (void **state)
{
  (void) state;
  assert_int_equal (RUN (SET (5), DO (BPF_SUB, 7), RETURN_A), 0xfffffffe);
  assert_int_equal (RUN (SET (0x10000), DO (BPF_MUL, 0x10001), RETURN_A), 0x10000);
  assert_int_equal (RUN (SET (100), DO (BPF_DIV, 7), RETURN_A), 14);
  assert_int_equal (RUN (SET (0xf0), DO (BPF_AND, 0x3c), DO (BPF_OR, 1), DO (BPF_XOR, 0xff),
                         RETURN_A),
                    0xce);
  assert_int_equal (RUN (SET (1), DO (BPF_LSH, 31), DO (BPF_RSH, 30), RETURN_A), 2);
  assert_int_equal (RUN (SET (1), BPF_STMT (BPF_ALU | BPF_NEG, 0), RETURN_A), 0xffffffff);
  assert_int_equal (RUN (SET (9), SETX (0), DOX (BPF_DIV), RETURN_A), 0);
  assert_int_equal (RUN (SET (9), BPF_STMT (BPF_ST, 15), SET (1), BPF_STMT (BPF_LDX | BPF_MEM, 15),
                         DOX (BPF_ADD), RETURN_A),
                    10);
}

static void
test_jumps (void **state)
{
  (void) state;
  assert_int_equal (RUN (SET (5), BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, 5, 1, 0), RETURN (1),
                         RETURN (2)),
                    2);
  assert_int_equal (RUN (SET (5), BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, 5, 1, 0), RETURN (1),
                         RETURN (2)),
                    1);
  assert_int_equal (RUN (SET (6), BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1), RETURN (1),
                         RETURN (2)),
                    1);
  assert_int_equal (RUN (SET (6), SETX (6), BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
                         RETURN (1), RETURN (2)),
                    1);
  assert_int_equal (RUN (BPF_STMT (BPF_JMP | BPF_JA, 1), RETURN (1), RETURN (2)), 2);
}

static void
refused (const struct sock_filter *program, gsize count)
{
  struct seccomp_data data = { 0 };
  guint32 action;

  assert_false (bz_simulate_check (program, count, NULL));
  assert_false (bz_simulate (program, count, &data, &action, NULL, NULL));
}

#define REFUSED(...) \
  refused ((const struct sock_filter[]){ __VA_ARGS__ }, \
           G_N_ELEMENTS (((const struct sock_filter[]){ __VA_ARGS__ })))

static void
test_refused (void **state)
{
  (void) state;
  refused (NULL, 0);
  REFUSED (LOAD (64), RETURN_A);
  REFUSED (LOAD (2), RETURN_A);
  REFUSED (LOAD (0xfffffffc), RETURN_A);
  REFUSED (SET (1));
  REFUSED (BPF_STMT (BPF_JMP | BPF_JA, 1), RETURN (0));
  REFUSED (BPF_STMT (BPF_JMP | BPF_JA, 0xffffffff), RETURN (0));
  REFUSED (BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 255, 0), RETURN (0));
  REFUSED (DO (BPF_DIV, 0), RETURN_A);
  REFUSED (DO (BPF_LSH, 32), RETURN_A);
  REFUSED (BPF_STMT (BPF_ST, 16), RETURN_A);
  REFUSED (BPF_STMT (BPF_LD | BPF_B | BPF_ABS, 0), RETURN_A);
  REFUSED (BPF_STMT (BPF_LD | BPF_W | BPF_IND, 0), RETURN_A);
  REFUSED (DO (BPF_MOD, 3), RETURN_A);
  REFUSED (BPF_STMT (0xffff, 0), RETURN_A);
}

static void
test_length (void **state)
{
  g_autofree struct sock_filter *program = g_new0 (struct sock_filter, BPF_MAXINSNS + 1);

  (void) state;
  for (gsize i = 0; i <= BPF_MAXINSNS; i++)
    program[i] = (struct sock_filter) RETURN (0);
  assert_true (bz_simulate_check (program, BPF_MAXINSNS, NULL));
  assert_false (bz_simulate_check (program, BPF_MAXINSNS + 1, NULL));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_loads),  cmocka_unit_test (test_arithmetic),
    cmocka_unit_test (test_jumps),  cmocka_unit_test (test_refused),
    cmocka_unit_test (test_length),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
