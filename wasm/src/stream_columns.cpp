#include <cstdlib>
#include <limits>
#include <new>

#include "exchange.hpp"
#include "fluxora/core/accrual.hpp"
#include "fluxora/core/decimal.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

// The columns, in the order in which they lie in the block: widest first, so that each is aligned for its typed array.
enum Column : std::uint32_t {
  // i128, in
  deposit,
  rate,
  withdrawn,
  settled,
  checkpoint_amount,
  // i128, out
  streamed,
  withdrawable,
  remaining,
  // u64, in
  checkpoint_at,
  cliff_time,
  end_time,
  cancelled_at,
  // u8, in
  kind,
  status,
  column_count,
};
constexpr std::size_t cell_size[column_count] = {16, 16, 16, 16, 16, 16, 16, 16, 8, 8, 8, 8, 1, 1};
constexpr std::size_t row_size = 8 * 16 + 4 * 8 + 2;

// cancelled_at of a stream that isn't cancelled.
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

constexpr std::uint32_t rows_max = 1'000'000;
constexpr std::size_t texts_a_row = 3;

struct StreamColumns {
  std::uint32_t capacity = 0;
  std::uint8_t* block = nullptr;
  std::uint8_t* column[column_count] = {};
  std::uint32_t* offsets = nullptr;  // texts_a_row * text_rows + 1
  char* text = nullptr;
  std::uint32_t text_rows = 0;
};

void free_text(StreamColumns& columns) noexcept {
  std::free(columns.offsets);
  std::free(columns.text);
  columns.offsets = nullptr;
  columns.text = nullptr;
  columns.text_rows = 0;
}

bool reserve_text(StreamColumns& columns, std::uint32_t rows) noexcept {
  if (rows <= columns.text_rows) return true;
  free_text(columns);
  columns.offsets = static_cast<std::uint32_t*>(wasm::allocate((texts_a_row * rows + 1) * sizeof(std::uint32_t)));
  columns.text = static_cast<char*>(wasm::allocate(texts_a_row * rows * wasm::decimal_text_max));
  if (columns.offsets == nullptr || columns.text == nullptr) {
    free_text(columns);
    return false;
  }
  columns.text_rows = rows;
  return true;
}

std::uint64_t load_u64(const StreamColumns& columns, Column column, std::uint32_t row) noexcept {
  std::uint64_t value;
  std::memcpy(&value, columns.column[column] + row * sizeof value, sizeof value);
  return value;
}

core::Amount load_cell(const StreamColumns& columns, Column column, std::uint32_t row) noexcept {
  return wasm::load_amount(columns.column[column] + row * sizeof(core::Int128));
}

void store_cell(const StreamColumns& columns, Column column, std::uint32_t row, core::Amount amount) noexcept {
  wasm::store_amount(columns.column[column] + row * sizeof(core::Int128), amount);
}

/// Reads a row into a stream. False when its kind or status is none.
bool load_row(const StreamColumns& columns, std::uint32_t row, core::Stream& stream) noexcept {
  const std::uint8_t kind_value = columns.column[kind][row];
  const std::uint8_t status_value = columns.column[status][row];
  if (kind_value > static_cast<std::uint8_t>(core::StreamKind::cliff_slope)) return false;
  if (status_value > static_cast<std::uint8_t>(core::StreamStatus::cancelled)) return false;
  stream.kind = static_cast<core::StreamKind>(kind_value);
  stream.status = static_cast<core::StreamStatus>(status_value);
  stream.deposit = load_cell(columns, deposit, row);
  stream.rate_per_second = load_cell(columns, rate, row);
  stream.withdrawn = load_cell(columns, withdrawn, row);
  stream.settled = load_cell(columns, settled, row);
  stream.checkpoint_amount = load_cell(columns, checkpoint_amount, row);
  stream.checkpoint_at = load_u64(columns, checkpoint_at, row);
  stream.cliff_time = load_u64(columns, cliff_time, row);
  stream.end_time = load_u64(columns, end_time, row);
  const std::uint64_t cancelled = load_u64(columns, cancelled_at, row);
  stream.cancelled_at.reset();
  if (cancelled != never) stream.cancelled_at = cancelled;
  return true;
}

}  // namespace

extern "C" {

/// Columns of no streams yet, 0 when there is no memory.
StreamColumns* fluxora_columns_create() {
  void* place = wasm::allocate(sizeof(StreamColumns));
  return place == nullptr ? nullptr : new (place) StreamColumns();
}

void fluxora_columns_destroy(StreamColumns* columns) {
  free_text(*columns);
  std::free(columns->block);
  std::free(columns);
}

std::uint32_t fluxora_columns_rows_max() {
  return rows_max;
}

/// Makes room for `capacity` rows and keeps the first `rows`. Moves the columns; on an error they stay.
Status fluxora_columns_reserve(StreamColumns* columns, std::uint32_t rows, std::uint32_t capacity) {
  if (capacity > rows_max || rows > columns->capacity || rows > capacity) return wasm::status_argument_invalid;
  // Typed arrays over a column start at a multiple of their element: 8 rows keep every column's start one of 8 bytes.
  const std::uint32_t rounded = (capacity + 7) / 8 * 8;
  auto* block = static_cast<std::uint8_t*>(wasm::allocate(rounded * row_size));
  if (block == nullptr) return wasm::status_out_of_memory;
  std::memset(block, 0, rounded * row_size);
  std::uint8_t* next = block;
  for (std::uint32_t i = 0; i < column_count; ++i) {
    if (rows > 0) std::memcpy(next, columns->column[i], rows * cell_size[i]);
    columns->column[i] = next;
    next += rounded * cell_size[i];
  }
  std::free(columns->block);
  columns->block = block;
  columns->capacity = rounded;
  return wasm::status_ok;
}

std::uint32_t fluxora_columns_capacity(const StreamColumns* columns) {
  return columns->capacity;
}

/// Where a column starts; 0 for one that there isn't.
std::uint8_t* fluxora_columns_pointer(const StreamColumns* columns, std::uint32_t column) {
  return column < column_count ? columns->column[column] : nullptr;
}

/// Computes the three balance columns of the first `rows` rows at `now`.
Status fluxora_columns_accrue(StreamColumns* columns, std::uint32_t rows, std::uint64_t now) {
  if (rows > columns->capacity) return wasm::status_argument_invalid;
  core::Stream stream;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!load_row(*columns, row, stream)) return wasm::status_argument_invalid;
    const core::Balances balances = core::balances_at(stream, now);
    store_cell(*columns, streamed, row, balances.streamed);
    store_cell(*columns, withdrawable, row, balances.withdrawable);
    store_cell(*columns, remaining, row, balances.remaining);
  }
  return wasm::status_ok;
}

/// Writes the balance columns of the first `rows` rows as decimal text: streamed, withdrawable and remaining of row 0,
/// then of row 1. Text i is offsets[i] to offsets[i + 1] of the text.
Status fluxora_columns_format(StreamColumns* columns, std::uint32_t rows) {
  if (rows > columns->capacity) return wasm::status_argument_invalid;
  if (!reserve_text(*columns, rows)) return wasm::status_out_of_memory;
  constexpr Column written[texts_a_row] = {streamed, withdrawable, remaining};
  std::uint32_t end = 0;
  std::uint32_t* offset = columns->offsets;
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (const Column column : written) {
      *offset++ = end;
      const core::DecimalText decimal(load_cell(*columns, column, row));
      const std::string_view view = decimal.view();
      std::memcpy(columns->text + end, view.data(), view.size());
      end += static_cast<std::uint32_t>(view.size());
    }
  }
  *offset = end;
  return wasm::status_ok;
}

const char* fluxora_columns_text(const StreamColumns* columns) {
  return columns->text;
}
const std::uint32_t* fluxora_columns_offsets(const StreamColumns* columns) {
  return columns->offsets;
}

/// One row at one time: streamed, withdrawable and remaining into three cells. The columns stay as they are.
Status fluxora_columns_balances(const StreamColumns* columns, std::uint32_t row, std::uint64_t now,
                                std::uint8_t* result) {
  if (row >= columns->capacity) return wasm::status_argument_invalid;
  core::Stream stream;
  if (!load_row(*columns, row, stream)) return wasm::status_argument_invalid;
  const core::Balances balances = core::balances_at(stream, now);
  wasm::store_amount(result, balances.streamed);
  wasm::store_amount(result + 16, balances.withdrawable);
  wasm::store_amount(result + 32, balances.remaining);
  return wasm::status_ok;
}

/// What the row's terms alone have streamed at `now`, whatever its status, into one cell.
Status fluxora_columns_accrued(const StreamColumns* columns, std::uint32_t row, std::uint64_t now,
                               std::uint8_t* result) {
  if (row >= columns->capacity) return wasm::status_argument_invalid;
  core::Stream stream;
  if (!load_row(*columns, row, stream)) return wasm::status_argument_invalid;
  wasm::store_amount(result, core::accrued(core::accrual_terms(stream), now));
  return wasm::status_ok;
}

}  // extern "C"
