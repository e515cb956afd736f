#include "statement_text.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "fluxora/core/decimal.hpp"

namespace fluxora::api {
namespace {

constexpr std::string_view line_end = "\r\n";  // RFC 4180
constexpr std::array<std::string_view, 5> amount_names = {"Deposit", "Streamed", "Withdrawn", "Settled", "Remaining"};
constexpr std::array<std::string_view, 3> balance_names = {"opening", "closing", "change"};

// Both formats go over the amounts in the order of amount_names.
std::array<std::string, 5> texts_of(const core::StatementBalance& balance) {
  return {core::format_decimal(balance.deposit), core::format_decimal(balance.streamed),
          core::format_decimal(balance.withdrawn), core::format_decimal(balance.settled),
          core::format_decimal(balance.remaining)};
}

std::array<std::string, 5> texts_of(const core::StatementChange& change) {
  return {change.deposit.text(), change.streamed.text(), change.withdrawn.text(), change.settled.text(),
          change.remaining.text()};
}

/// {"depositAmount": …, …}
void write_amounts(core::JsonWriter& json, const std::array<std::string, 5>& texts) {
  static constexpr std::array<std::string_view, 5> names = {"depositAmount", "streamedAmount", "withdrawnAmount",
                                                            "settledAmount", "remainingAmount"};
  json.begin_object();
  for (std::size_t i = 0; i < names.size(); ++i) json.key(names[i]).string(texts[i]);
  json.end_object();
}

void write_token(core::JsonWriter& json, const std::optional<std::string>& token) {
  json.key("token");
  token ? json.string(*token) : json.null();
}

}  // namespace

StatementText::StatementText(StatementFormat format, StatementHead head) : format_(format), head_(std::move(head)) {}

std::string StatementText::piece(const ports::StatementPage& page) {
  const bool json = format_ == StatementFormat::json;
  if (!std::exchange(begun_, true)) json ? begin_json() : begin_csv();
  for (const core::StatementLine& line : page.lines) json ? write_json(line) : write_csv(line);
  if (page.last && json) end_json();
  return std::exchange(text_, {});
}

void StatementText::begin_json() {
  json_.begin_object();
  json_.key("account").string(head_.account);
  json_.key("from").unix_seconds(head_.from);
  json_.key("to").unix_seconds(head_.to);
  json_.key("asOf").unix_seconds(head_.as_of);
  json_.key("lines").begin_array();
}

void StatementText::write_json(const core::StatementLine& line) {
  core::add_line(totals_, line);
  json_.begin_object();
  json_.key("streamId").string(line.stream_id);
  json_.key("role").string(core::role_name(line.role));
  json_.key("counterparty").string(line.counterparty);
  write_token(json_, line.token);
  json_.key("spanFrom").unix_seconds(line.span_from);
  json_.key("spanTo").unix_seconds(line.span_to);
  json_.key("status").string(line.status);
  json_.key("opening");
  write_amounts(json_, texts_of(line.opening));
  json_.key("closing");
  write_amounts(json_, texts_of(line.closing));
  json_.key("change");
  write_amounts(json_, texts_of(core::change_of(line)));
  json_.end_object();
}

void StatementText::end_json() {
  json_.end_array();
  json_.key("totals").begin_array();
  for (const auto& [key, totals] : totals_) {
    json_.begin_object();
    write_token(json_, key.first);
    json_.key("role").string(core::role_name(key.second));
    json_.key("lines").unsigned_integer(totals.lines);
    json_.key("change");
    write_amounts(json_, texts_of(totals.change));
    json_.end_object();
  }
  json_.end_array();
  json_.end_object();
}

void StatementText::begin_csv() {
  text_ += "streamId,role,counterparty,token,spanFrom,spanTo,status";
  for (const std::string_view balance : balance_names) {
    for (const std::string_view amount : amount_names) ((((text_ += ',') += balance) += amount) += "Amount");
  }
  text_ += line_end;
}

// Nothing needs quotes: ids, addresses, names and numbers have no comma, quote or line end. No field can be taken for a
// formula either: those that aren't numbers begin with a letter, and a minus stands before digits only.
void StatementText::write_csv(const core::StatementLine& line) {
  const auto field = [this](std::string_view value) { (text_ += ',') += value; };
  text_ += line.stream_id;
  field(core::role_name(line.role));
  field(line.counterparty);
  field(line.token.value_or(""));
  field(core::format_u64(line.span_from));
  field(core::format_u64(line.span_to));
  field(line.status);
  for (const auto& texts : {texts_of(line.opening), texts_of(line.closing), texts_of(core::change_of(line))}) {
    for (const std::string& amount : texts) field(amount);
  }
  text_ += line_end;
}

}  // namespace fluxora::api
