#include "context.h"
#include "test.h"

static void arithmetic_saturates(void) {
  expect(tfc_add(INT64_MAX, 1) == INT64_MAX);
  expect(tfc_add(INT64_MIN, -1) == INT64_MIN);
  expect(tfc_add(INT64_MAX, INT64_MIN) == -1);
  expect(tfc_multiply(INT64_MAX, 2) == INT64_MAX);
  expect(tfc_multiply(INT64_MAX, -2) == INT64_MIN);
  expect(tfc_multiply(-3, 5) == -15);
  expect(tfc_floor_divide(7, 2) == 3);
  expect(tfc_floor_divide(-7, 2) == -4);
  expect(tfc_floor_divide(7, -2) == -4);
  expect(tfc_floor_divide(-8, 2) == -4);
  expect(tfc_floor_divide(7, 0) == INT64_MAX);
  expect(tfc_floor_divide(INT64_MIN, -1) == INT64_MAX);
  expect(tfc_modulo(7, 3) == 1);
  expect(tfc_modulo(-7, 3) == 2);
  expect(tfc_modulo(7, -3) == -2);
  expect(tfc_modulo(6, -3) == 0);
  expect(tfc_modulo(INT64_MIN, -1) == 0);
  expect(tfc_modulo(7, 0) == INT64_MAX);
}

static int64_t product(const int64_t *s) { return tfc_multiply(s[0], s[1]); }

static const tfc_symbol symbols[] = {{"a", 0, TFC_SYMBOL_MAX}, {"b", 0, TFC_SYMBOL_MAX}};

static const tfc_expression expressions[] = {
    {"3*a - 2", 0, 3, -2, NULL},
    {"a*b", -1, 0, 0, product},
    {"b", 1, 1, 0, NULL},
};

static const int64_t shape[] = {TFC_EXPRESSION(0), TFC_EXPRESSION(1), TFC_EXPRESSION(2)};

static void byte_counts_do_not_wrap(void) {
  const tfc_entry entry = {.symbol_count = 2, .symbols = symbols, .expressions = expressions};
  const tfc_tensor_info tensor = {"t", TFC_F64, 3, shape, -1};
  int64_t extents[3];
  expect(tfc_extents(&entry, &tensor, (const int64_t[]){2, 5}, extents) == 8 * 4 * 10 * 5);
  expect(extents[0] == 4 && extents[1] == 10 && extents[2] == 5);
  expect(tfc_extents(&entry, &tensor, (const int64_t[]){2, 0}, extents) == 0);
  expect(tfc_extents(&entry, &tensor, (const int64_t[]){0, 0}, extents) == -1);
  expect(extents[0] == -2);
  expect(tfc_extents(&entry, &tensor, (const int64_t[]){TFC_SYMBOL_MAX, TFC_SYMBOL_MAX}, NULL) == -1);
}

/* The sentence of solving inputs `x` [3*a - 2] and `y` [a*b, b] for their extents. */
static const char *solve(tfc_context *context, int64_t x, int64_t y0, int64_t y1, int64_t *values) {
  static const tfc_tensor_info inputs[] = {{"x", TFC_F32, 1, shape, -1}, {"y", TFC_F32, 2, shape + 1, -1}};
  const tfc_entry entry = {
      .symbol_count = 2, .expression_count = 3, .input_count = 2, .symbols = symbols, .expressions = expressions,
      .inputs = inputs};
  const tfc_tensor tensors[] = {
      {.type = TFC_F32, .rank = 1, .extents = &x}, {.type = TFC_F32, .rank = 2, .extents = (int64_t[]){y0, y1}}};
  context->error[0] = 0;
  int32_t status = tfc_solve_symbols(context, &entry, tensors, 2, values);
  expect((status == TFC_OK) == (context->error[0] == 0));
  return context->error;
}

static void expressions_are_solved_and_checked(void) {
  const tfc_artifact_table table = {.name = "m"};
  tfc_context *context = tfc_create(&table, &(tfc_options){.threads = 1});
  int64_t values[2];
  expect_text(solve(context, 7, 15, 5, values), "");
  expect(values[0] == 3 && values[1] == 5);
  expect_text(solve(context, 1, 0, 0, values), "");
  expect_text(solve(context, 6, 15, 5, values), "input 0 'x': extent 0 is 6, which is not 3*a - 2 for any a");
  expect_text(solve(context, 7, 14, 5, values), "input 1 'y': extent 0 is 14, expected a*b = 15");
  expect_text(
      solve(context, 7, 15, (int64_t)1 << 40, values),
      "input 1 'y': extent 1 is 1099511627776, but b = 1099511627776 is outside 0...2147483647");
  expect_text(
      solve(context, INT64_MAX, 15, 5, values),
      "input 0 'x': extent 0 is 9223372036854775807, which is not 3*a - 2 for any a");
  tfc_destroy(context);
}

static void a_symbol_without_an_extent_is_refused(void) {
  const tfc_artifact_table table = {.name = "m"};
  tfc_context *context = tfc_create(&table, &(tfc_options){.threads = 1});
  const tfc_entry entry = {.symbol_count = 1, .symbols = symbols};
  int64_t value;
  expect(tfc_solve_symbols(context, &entry, NULL, 0, &value) == TFC_INVALID_ARGUMENT);
  expect_text(tfc_last_error(context), "no extent of an input determines 'a'");
  tfc_destroy(context);
}

void test_extents(void) {
  RUN(arithmetic_saturates);
  RUN(byte_counts_do_not_wrap);
  RUN(expressions_are_solved_and_checked);
  RUN(a_symbol_without_an_extent_is_refused);
}
