#include <cstdlib>
#include <new>

#include "exchange.hpp"
#include "fluxora/core/accrual.hpp"

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

constexpr std::uint32_t rows_max = 1'000'000;

struct StreamColumns {
  std::uint32_t capacity = 0;
  std::uint8_t* block = nullptr;
  std::uint8_t* column[column_count] = {};
};

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

/// Reads a row. False when its kind or status is none.
bool load_row(const StreamColumns& columns, std::uint32_t row, core::BalanceTerms& terms) noexcept {
  const std::uint8_t kind_value = columns.column[kind][row];
  const std::uint8_t status_value = columns.column[status][row];
  if (kind_value > static_cast<std::uint8_t>(core::StreamKind::cliff_slope)) return false;
  if (status_value > static_cast<std::uint8_t>(core::StreamStatus::cancelled)) return false;
  terms.accrual.kind = static_cast<core::StreamKind>(kind_value);
  terms.accrual.deposit = load_cell(columns, deposit, row);
  terms.accrual.rate_per_second = load_cell(columns, rate, row);
  terms.accrual.checkpoint_amount = load_cell(columns, checkpoint_amount, row);
  terms.accrual.checkpoint_at = load_u64(columns, checkpoint_at, row);
  terms.accrual.cliff_time = load_u64(columns, cliff_time, row);
  terms.accrual.end_time = load_u64(columns, end_time, row);
  terms.status = static_cast<core::StreamStatus>(status_value);
  terms.withdrawn = load_cell(columns, withdrawn, row);
  terms.settled = load_cell(columns, settled, row);
  terms.cancelled_at = load_u64(columns, cancelled_at, row);
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
[[gnu::flatten]] Status fluxora_columns_accrue(StreamColumns* handle, std::uint32_t rows, std::uint64_t now) {
  if (rows > handle->capacity) return wasm::status_argument_invalid;
  // Of its own, so that what is stored can't be where a column begins.
  const StreamColumns columns = *handle;
  core::BalanceTerms terms;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!load_row(columns, row, terms)) return wasm::status_argument_invalid;
    const core::Balances balances = core::balances_at(terms, now);
    store_cell(columns, streamed, row, balances.streamed);
    store_cell(columns, withdrawable, row, balances.withdrawable);
    store_cell(columns, remaining, row, balances.remaining);
  }
  return wasm::status_ok;
}

/// One row at one time: streamed, withdrawable and remaining into three cells. The columns stay as they are.
Status fluxora_columns_balances(const StreamColumns* columns, std::uint32_t row, std::uint64_t now,
                                std::uint8_t* result) {
  if (row >= columns->capacity) return wasm::status_argument_invalid;
  core::BalanceTerms terms;
  if (!load_row(*columns, row, terms)) return wasm::status_argument_invalid;
  const core::Balances balances = core::balances_at(terms, now);
  wasm::store_amount(result, balances.streamed);
  wasm::store_amount(result + 16, balances.withdrawable);
  wasm::store_amount(result + 32, balances.remaining);
  return wasm::status_ok;
}

/// What the row's terms alone have streamed at `now`, whatever its status, into one cell.
Status fluxora_columns_accrued(const StreamColumns* columns, std::uint32_t row, std::uint64_t now,
                               std::uint8_t* result) {
  if (row >= columns->capacity) return wasm::status_argument_invalid;
  core::BalanceTerms terms;
  if (!load_row(*columns, row, terms)) return wasm::status_argument_invalid;
  wasm::store_amount(result, core::accrued(terms.accrual, now));
  return wasm::status_ok;
}

}  // extern "C"
