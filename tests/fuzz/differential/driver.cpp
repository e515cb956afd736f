// Calls the WebAssembly boundary's functions natively. Reads calls from standard input and writes what each gave to
// standard output, both as records: a little-endian u32 size and that many bytes. module.mjs does the same with the
// module; the bytes must be equal.
//
// A call: u32 size and name of the function, then its arguments in order. An answer: u32 status, then u32 error offset
// where the status is a core error's, or what the function gave where it is 0.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using Status = std::uint32_t;
struct StreamColumns;
struct Verifier;
struct Feed;

extern "C" {
Status fluxora_amount_parse(const char*, std::uint32_t, std::uint8_t*);
Status fluxora_amount_format(const std::uint8_t*);
Status fluxora_amount_format_column(const std::uint8_t*, std::uint32_t, std::uint32_t*);
Status fluxora_amount_add(const std::uint8_t*, const std::uint8_t*, std::uint8_t*);
Status fluxora_amount_subtract(const std::uint8_t*, const std::uint8_t*, std::uint8_t*);
Status fluxora_amount_multiply(const std::uint8_t*, const std::uint8_t*, std::uint8_t*);
Status fluxora_amount_multiply_fixed(const std::uint8_t*, const std::uint8_t*, std::uint32_t, std::uint8_t*);
Status fluxora_amount_divide_fixed(const std::uint8_t*, const std::uint8_t*, std::uint32_t, std::uint8_t*);
Status fluxora_units_divide(const std::uint8_t*, const std::uint8_t*, std::uint32_t, std::uint8_t*);
Status fluxora_units_rescale(const std::uint8_t*, std::uint32_t, std::uint32_t, std::uint32_t, std::uint8_t*);
Status fluxora_cursor_parse(const char*, std::uint32_t, std::uint64_t*);
Status fluxora_cursor_format(const char*, std::uint32_t, std::uint64_t);
Status fluxora_strkey_decode(const char*, std::uint32_t, std::uint8_t*);
Status fluxora_strkey_encode(std::uint32_t, const std::uint8_t*, std::uint32_t);
std::uint32_t fluxora_is_stream_party(const char*, std::uint32_t);
std::uint32_t fluxora_is_contract_id(const char*, std::uint32_t);
std::uint32_t fluxora_is_stream_id(const char*, std::uint32_t);
Status fluxora_scval_json(const char*, std::uint32_t);
Status fluxora_contract_event_json(const char*, const std::uint32_t*, std::uint32_t, std::uint32_t);
StreamColumns* fluxora_columns_create();
void fluxora_columns_destroy(StreamColumns*);
Status fluxora_columns_reserve(StreamColumns*, std::uint32_t, std::uint32_t);
std::uint32_t fluxora_columns_capacity(const StreamColumns*);
std::uint8_t* fluxora_columns_pointer(const StreamColumns*, std::uint32_t);
Status fluxora_columns_accrue(StreamColumns*, std::uint32_t, std::uint64_t);
Status fluxora_columns_balances(const StreamColumns*, std::uint32_t, std::uint64_t, std::uint8_t*);
Status fluxora_columns_accrued(const StreamColumns*, std::uint32_t, std::uint64_t, std::uint8_t*);
Status fluxora_fold(const std::uint8_t*, std::uint32_t, const char*, const std::uint32_t*, std::uint32_t,
                    const std::uint8_t*);
Status fluxora_retract(const std::uint8_t*, std::uint32_t, const std::uint8_t*, std::uint32_t, std::uint64_t);
Status fluxora_stream_json(const std::uint8_t*, std::uint32_t, std::uint64_t);
Verifier* fluxora_verifier_create();
void fluxora_verifier_destroy(Verifier*);
Status fluxora_verifier_add_secret(Verifier*, const char*, std::uint32_t, std::uint32_t, std::uint64_t);
Status fluxora_verifier_add_public_key(Verifier*, const char*, std::uint32_t, std::uint32_t, std::uint64_t);
std::uint32_t fluxora_verifier_verify(const Verifier*, std::uint8_t*, std::uint32_t, std::uint32_t, std::uint32_t,
                                      std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t,
                                      std::uint32_t);
std::uint32_t fluxora_verdict(std::uint32_t);
Status fluxora_webhook_sign(const char*, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t);
Status fluxora_feed_create(std::uint32_t, const char*, std::uint32_t, Feed**);
void fluxora_feed_destroy(Feed*);
Status fluxora_feed_cursor(const Feed*);
Status fluxora_feed_opened(Feed*, std::uint32_t, const char*, std::uint32_t, std::uint32_t*);
Status fluxora_feed_entry(Feed*, const char*, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t,
                          std::uint32_t*);
Status fluxora_feed_replayed(Feed*, std::uint32_t, std::uint32_t*);
Status fluxora_feed_refetched(Feed*, const char*, std::uint32_t);
std::uint32_t fluxora_input_max();
std::uint32_t fluxora_columns_rows_max();
const char* fluxora_output();
std::uint32_t fluxora_output_size();
std::uint32_t fluxora_error_offset();
Status fluxora_error_name(Status);
Status fluxora_error_message(Status);
}

namespace {

// compare.mjs writes no longer records.
constexpr std::uint32_t record_max = 16u << 20;
constexpr std::size_t cell_size = 16;
constexpr std::size_t place_size = 144;    // wasm/src/folding.cpp, PlaceInput
constexpr std::size_t verified_size = 16;  // wasm/src/webhooks.cpp, Verified
constexpr Status last_core_error = 0xff;

[[noreturn]] void give_up(const char* reason) {
  std::fprintf(stderr, "%s\n", reason);
  std::exit(2);
}

/// The arguments of one call. Each is copied to a place of its own size, so that a sanitizer sees what reads past it.
class Call {
 public:
  explicit Call(std::string_view record) : rest_(record) {}

  std::uint32_t u32() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t u64() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::vector<char> text() {
    const std::string_view bytes = take(u32());
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::uint8_t> bytes(std::size_t size) {
    const std::string_view bytes = take(size);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::uint8_t> cell() { return bytes(cell_size); }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) give_up("a call ends within its arguments");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

class Answer {
 public:
  /// Everything that follows is there only where the call went well.
  bool status(Status status) {
    u32(status);
    if (status != 0 && status <= last_core_error) u32(fluxora_error_offset());
    return status == 0;
  }
  void u32(std::uint32_t value) { bytes(&value, sizeof value); }
  void u64(std::uint64_t value) { bytes(&value, sizeof value); }
  void bytes(const void* from, std::size_t size) { text_.append(static_cast<const char*>(from), size); }
  void output() { bytes(fluxora_output(), fluxora_output_size()); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::uint32_t size_of(const std::vector<char>& text) {
  return static_cast<std::uint32_t>(text.size());
}

void amount_parse(Call& call, Answer& answer) {
  const auto text = call.text();
  std::uint8_t cell[cell_size];
  if (answer.status(fluxora_amount_parse(text.data(), size_of(text), cell))) answer.bytes(cell, cell_size);
}

void amount_format(Call& call, Answer& answer) {
  if (answer.status(fluxora_amount_format(call.cell().data()))) answer.output();
}

void amount_format_column(Call& call, Answer& answer) {
  const std::uint32_t count = call.u32();
  const auto cells = call.bytes(count * cell_size);
  std::vector<std::uint32_t> offsets(count + 1);
  if (!answer.status(fluxora_amount_format_column(cells.data(), count, offsets.data()))) return;
  answer.bytes(offsets.data(), offsets.size() * sizeof offsets[0]);
  answer.output();
}

template <Status (*function)(const std::uint8_t*, const std::uint8_t*, std::uint8_t*)>
void two_cells(Call& call, Answer& answer) {
  const auto a = call.cell();
  const auto b = call.cell();
  std::uint8_t result[cell_size];
  if (answer.status(function(a.data(), b.data(), result))) answer.bytes(result, cell_size);
}

template <Status (*function)(const std::uint8_t*, const std::uint8_t*, std::uint32_t, std::uint8_t*)>
void two_cells_rounded(Call& call, Answer& answer) {
  const auto a = call.cell();
  const auto b = call.cell();
  std::uint8_t result[cell_size];
  if (answer.status(function(a.data(), b.data(), call.u32(), result))) answer.bytes(result, cell_size);
}

void units_rescale(Call& call, Answer& answer) {
  const auto units = call.cell();
  const std::uint32_t from = call.u32();
  const std::uint32_t to = call.u32();
  std::uint8_t result[cell_size];
  if (answer.status(fluxora_units_rescale(units.data(), from, to, call.u32(), result))) {
    answer.bytes(result, cell_size);
  }
}

void cursor_parse(Call& call, Answer& answer) {
  const auto text = call.text();
  std::uint64_t seq = 0;
  if (!answer.status(fluxora_cursor_parse(text.data(), size_of(text), &seq))) return;
  answer.u64(seq);
  answer.output();
}

void cursor_format(Call& call, Answer& answer) {
  const auto epoch = call.text();
  if (answer.status(fluxora_cursor_format(epoch.data(), size_of(epoch), call.u64()))) answer.output();
}

void strkey_decode(Call& call, Answer& answer) {
  const auto text = call.text();
  std::uint8_t version = 0;
  if (!answer.status(fluxora_strkey_decode(text.data(), size_of(text), &version))) return;
  answer.bytes(&version, 1);
  answer.output();
}

void strkey_encode(Call& call, Answer& answer) {
  const std::uint32_t version = call.u32();
  const auto payload = call.bytes(call.u32());
  if (answer.status(fluxora_strkey_encode(version, payload.data(), static_cast<std::uint32_t>(payload.size())))) {
    answer.output();
  }
}

template <std::uint32_t (*function)(const char*, std::uint32_t)>
void question(Call& call, Answer& answer) {
  const auto text = call.text();
  answer.u32(function(text.data(), size_of(text)));
}

void scval_json(Call& call, Answer& answer) {
  const auto text = call.text();
  if (answer.status(fluxora_scval_json(text.data(), size_of(text)))) answer.output();
}

/// Texts that follow each other, and their sizes.
struct Texts {
  std::vector<std::uint32_t> sizes;
  std::vector<char> joined;

  void add(const std::vector<char>& text) {
    sizes.push_back(size_of(text));
    joined.insert(joined.end(), text.begin(), text.end());
  }
};

/// A count of topics, the topics, and the value.
Texts read_event(Call& call) {
  Texts texts;
  const std::uint32_t topics = call.u32();
  for (std::uint32_t i = 0; i <= topics; ++i) texts.add(call.text());
  return texts;
}

std::uint32_t topics_of(const Texts& event) {
  return static_cast<std::uint32_t>(event.sizes.size() - 1);
}

void contract_event_json(Call& call, Answer& answer) {
  const std::uint32_t successful = call.u32();
  const Texts event = read_event(call);
  if (answer.status(
          fluxora_contract_event_json(event.joined.data(), event.sizes.data(), topics_of(event), successful))) {
    answer.output();
  }
}

void fold(Call& call, Answer& answer) {
  const auto place = call.bytes(place_size);
  const auto before = call.bytes(call.u32());
  const Texts event = read_event(call);
  if (answer.status(fluxora_fold(before.data(), static_cast<std::uint32_t>(before.size()), event.joined.data(),
                                 event.sizes.data(), topics_of(event), place.data()))) {
    answer.output();
  }
}

void retract(Call& call, Answer& answer) {
  const std::uint64_t seq = call.u64();
  const auto before = call.bytes(call.u32());
  const auto after = call.bytes(call.u32());
  if (answer.status(fluxora_retract(before.data(), static_cast<std::uint32_t>(before.size()), after.data(),
                                    static_cast<std::uint32_t>(after.size()), seq))) {
    answer.output();
  }
}

void stream_json(Call& call, Answer& answer) {
  const std::uint64_t as_of = call.u64();
  const auto bytes = call.bytes(call.u32());
  if (answer.status(fluxora_stream_json(bytes.data(), static_cast<std::uint32_t>(bytes.size()), as_of))) {
    answer.output();
  }
}

/// A verifier with its keys, and one verdict of it.
void verify(Call& call, Answer& answer) {
  Verifier* verifier = fluxora_verifier_create();
  if (verifier == nullptr) give_up("no memory for a verifier");
  const std::uint32_t keys = call.u32();
  for (std::uint32_t i = 0; i < keys; ++i) {
    const auto add = call.u32() == 0 ? fluxora_verifier_add_secret : fluxora_verifier_add_public_key;
    const std::uint32_t has_grace = call.u32();
    const std::uint64_t grace_ends = call.u64();
    const auto text = call.text();
    answer.status(add(verifier, text.data(), size_of(text), has_grace, grace_ends));
  }
  const std::uint64_t now = call.u64();
  const std::uint32_t require_standard = call.u32();
  Texts texts;
  for (int i = 0; i < 7; ++i) texts.add(call.text());  // six headers and the body
  std::vector<std::uint8_t> area(verified_size);
  area.insert(area.end(), texts.joined.begin(), texts.joined.end());
  const auto& sizes = texts.sizes;
  answer.u32(fluxora_verifier_verify(verifier, area.data(), sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5],
                                     sizes[6], now, require_standard));
  answer.bytes(area.data(), verified_size);
  fluxora_verifier_destroy(verifier);
}

void verdict(Call& call, Answer& answer) {
  const std::uint32_t http_status = fluxora_verdict(call.u32());
  answer.u32(http_status);
  if (http_status != 0) answer.output();
}

void webhook_sign(Call& call, Answer& answer) {
  const std::uint64_t timestamp = call.u64();
  Texts texts;
  for (int i = 0; i < 3; ++i) texts.add(call.text());  // secret, id, body
  if (answer.status(
          fluxora_webhook_sign(texts.joined.data(), texts.sizes[0], texts.sizes[1], texts.sizes[2], timestamp))) {
    answer.output();
  }
}

void feed_step(Call& call, Answer& answer, Feed* client) {
  const std::uint32_t step = call.u32();
  const std::uint32_t outcome = call.u32();
  const std::uint64_t prev_seq = call.u64();
  const auto cursor = call.text();
  std::uint32_t result = 0;
  switch (step) {
    case 0:
      if (answer.status(fluxora_feed_opened(client, outcome, cursor.data(), size_of(cursor), &result))) {
        answer.u32(result);
      }
      return;
    case 1: {
      Texts texts;
      texts.add(cursor);
      texts.add(call.text());  // the stream's id
      if (!answer.status(fluxora_feed_entry(client, texts.joined.data(), texts.sizes[0], texts.sizes[1], outcome,
                                            prev_seq, &result))) {
        return;
      }
      answer.u32(result);
      answer.output();
      return;
    }
    case 2:
      if (!answer.status(fluxora_feed_replayed(client, outcome, &result))) return;
      answer.u32(result);
      answer.output();
      return;
    default: answer.status(fluxora_feed_refetched(client, cursor.data(), size_of(cursor)));
  }
}

/// A feed's client and what happens to it, with its position after each step.
void feed(Call& call, Answer& answer) {
  const std::uint32_t scope = call.u32();
  const auto cursor = call.text();
  const std::uint32_t steps = call.u32();
  Feed* client = nullptr;
  if (!answer.status(fluxora_feed_create(scope, cursor.data(), size_of(cursor), &client))) return;
  for (std::uint32_t i = 0; i < steps; ++i) {
    feed_step(call, answer, client);
    if (answer.status(fluxora_feed_cursor(client))) answer.output();
  }
  fluxora_feed_destroy(client);
}

// wasm/src/stream_columns.cpp: the columns that are written, by number, with their cells' sizes; and those computed.
struct Column {
  std::uint32_t number;
  std::size_t cell_size;
};
constexpr Column columns_in[] = {{0, 16}, {1, 16}, {2, 16}, {3, 16}, {4, 16}, {8, 8},
                                 {9, 8},  {10, 8}, {11, 8}, {12, 1}, {13, 1}};
constexpr Column columns_out[] = {{5, 16}, {6, 16}, {7, 16}};

/// Rows of streams: their balances in columns, as text, and each row by itself.
void columns(Call& call, Answer& answer) {
  const std::uint32_t rows = call.u32();
  const std::uint64_t now = call.u64();
  StreamColumns* held = fluxora_columns_create();
  if (held == nullptr || fluxora_columns_reserve(held, 0, rows) != 0) give_up("no memory for columns");
  for (const Column column : columns_in) {
    const auto cells = call.bytes(rows * column.cell_size);
    if (rows > 0) std::memcpy(fluxora_columns_pointer(held, column.number), cells.data(), cells.size());
  }
  answer.u32(fluxora_columns_capacity(held));
  if (answer.status(fluxora_columns_accrue(held, rows, now))) {
    for (const Column column : columns_out) {
      answer.bytes(fluxora_columns_pointer(held, column.number), rows * column.cell_size);
    }
    std::vector<std::uint32_t> offsets(rows + 1);
    for (const Column column : columns_out) {
      const std::uint8_t* cells = fluxora_columns_pointer(held, column.number);
      if (answer.status(fluxora_amount_format_column(cells, rows, offsets.data()))) answer.output();
    }
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::uint8_t cells[3 * cell_size];
    if (answer.status(fluxora_columns_balances(held, row, now, cells))) answer.bytes(cells, sizeof cells);
    if (answer.status(fluxora_columns_accrued(held, row, now, cells))) answer.bytes(cells, cell_size);
  }
  fluxora_columns_destroy(held);
}

void limits(Call&, Answer& answer) {
  answer.u64(fluxora_input_max());
  answer.u64(fluxora_columns_rows_max());
}

template <Status (*function)(Status)>
void of_a_status(Call& call, Answer& answer) {
  if (answer.status(function(call.u32()))) answer.output();
}

const std::map<std::string_view, void (*)(Call&, Answer&)> functions = {
    {"amount_add", two_cells<fluxora_amount_add>},
    {"amount_divide_fixed", two_cells_rounded<fluxora_amount_divide_fixed>},
    {"amount_format", amount_format},
    {"amount_format_column", amount_format_column},
    {"amount_multiply", two_cells<fluxora_amount_multiply>},
    {"amount_multiply_fixed", two_cells_rounded<fluxora_amount_multiply_fixed>},
    {"amount_parse", amount_parse},
    {"amount_subtract", two_cells<fluxora_amount_subtract>},
    {"columns", columns},
    {"contract_event_json", contract_event_json},
    {"cursor_format", cursor_format},
    {"cursor_parse", cursor_parse},
    {"error_message", of_a_status<fluxora_error_message>},
    {"error_name", of_a_status<fluxora_error_name>},
    {"feed", feed},
    {"fold", fold},
    {"is_contract_id", question<fluxora_is_contract_id>},
    {"is_stream_id", question<fluxora_is_stream_id>},
    {"is_stream_party", question<fluxora_is_stream_party>},
    {"limits", limits},
    {"retract", retract},
    {"scval_json", scval_json},
    {"stream_json", stream_json},
    {"strkey_decode", strkey_decode},
    {"strkey_encode", strkey_encode},
    {"units_divide", two_cells_rounded<fluxora_units_divide>},
    {"units_rescale", units_rescale},
    {"verdict", verdict},
    {"verify", verify},
    {"verify_by_public_key", verify},
    {"webhook_sign", webhook_sign},
};

/// The next record; false at the end of the input.
bool read_record(std::string& record) {
  std::uint32_t size = 0;
  if (std::fread(&size, sizeof size, 1, stdin) != 1) return false;
  if (size > record_max) give_up("a record is too long");
  record.resize(size);
  if (std::fread(record.data(), 1, size, stdin) != size) give_up("the input ends within a record");
  return true;
}

void write_record(const std::string& record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  std::fwrite(&size, sizeof size, 1, stdout);
  std::fwrite(record.data(), 1, size, stdout);
}

}  // namespace

int main() {
  std::string record;
  while (read_record(record)) {
    Call call(record);
    const auto name = call.text();
    const auto function = functions.find(std::string_view(name.data(), name.size()));
    if (function == functions.end()) give_up("a call names no function");
    Answer answer;
    function->second(call, answer);
    write_record(answer.text());
    std::fflush(stdout);  // whoever asked waits for it, and a crash must not take it along
  }
  return 0;
}
