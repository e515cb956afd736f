#include "fluxora/core/unix_time.hpp"

#include <algorithm>
#include <array>

namespace fluxora::core {
namespace {

constexpr std::uint64_t seconds_per_day = 86'400;

struct Date {
  unsigned year;
  unsigned month;
  unsigned day;
};

// Both ways count in 400-year eras that begin on 1 March of year 0, so that a leap day ends its year
// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
constexpr std::uint64_t days_per_era = 146'097;
constexpr std::uint64_t days_from_era_to_1970 = 719'468;

Date date_of_day(std::uint64_t days_since_1970) noexcept {
  const std::uint64_t days = days_since_1970 + days_from_era_to_1970;
  const std::uint64_t day_of_era = days % days_per_era;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t month = (5 * day_of_year + 2) / 153;  // 0 is March
  const std::uint64_t year = days / days_per_era * 400 + year_of_era + (month >= 10 ? 1 : 0);
  return {static_cast<unsigned>(year), static_cast<unsigned>(month < 10 ? month + 3 : month - 9),
          static_cast<unsigned>(day_of_year - (153 * month + 2) / 5 + 1)};
}

/// `date` is a real one, not before 1970.
std::uint64_t day_of_date(Date date) noexcept {
  const std::uint64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::uint64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::uint64_t year_of_era = year % 400;
  const std::uint64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const std::uint64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return year / 400 * days_per_era + day_of_era - days_from_era_to_1970;
}

bool is_leap_year(unsigned year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned days_in_month(unsigned year, unsigned month) noexcept {
  constexpr std::array<unsigned, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

void append_padded(std::string& text, std::uint64_t value, std::size_t width) {
  const std::size_t begin = text.size();
  text.resize(begin + width);
  for (std::size_t i = width; i > 0; --i, value /= 10) text[begin + i - 1] = static_cast<char>('0' + value % 10);
}

/// "2026-03-29T09:31:27", without a zone. `seconds` is within RFC 3339.
std::string format_date_time(UnixSeconds seconds) {
  const Date date = date_of_day(seconds / seconds_per_day);
  const std::uint64_t second_of_day = seconds % seconds_per_day;
  std::string text;
  text.reserve(24);
  append_padded(text, date.year, 4);
  text.push_back('-');
  append_padded(text, date.month, 2);
  text.push_back('-');
  append_padded(text, date.day, 2);
  text.push_back('T');
  append_padded(text, second_of_day / 3'600, 2);
  text.push_back(':');
  append_padded(text, second_of_day / 60 % 60, 2);
  text.push_back(':');
  append_padded(text, second_of_day % 60, 2);
  return text;
}

/// Reads the fixed form from front to back; the first mismatch stays.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}

  unsigned number(std::size_t width) noexcept {
    unsigned value = 0;
    for (; width > 0; --width) {
      if (!at_digit()) {
        failed_ = true;
        return 0;
      }
      value = value * 10 + static_cast<unsigned>(text_[at_++] - '0');
    }
    return value;
  }
  void one_of(std::string_view characters) noexcept {
    if (at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      failed_ = true;
    }
  }
  void fraction() noexcept {
    if (at_ >= text_.size() || text_[at_] != '.') return;
    ++at_;
    if (!at_digit()) failed_ = true;
    while (at_digit()) ++at_;
  }
  [[nodiscard]] std::string_view rest() const noexcept { return text_.substr(at_); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }

 private:
  [[nodiscard]] bool at_digit() const noexcept { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string format_rfc3339(UnixSeconds seconds) {
  return format_date_time(std::min(seconds, last_rfc3339_second)) + 'Z';
}

std::string format_rfc3339_millis(UnixMillis millis) {
  constexpr UnixMillis last = static_cast<UnixMillis>(last_rfc3339_second) * 1'000 + 999;
  const auto bounded = static_cast<std::uint64_t>(std::clamp(millis, UnixMillis{0}, last));
  std::string text = format_date_time(bounded / 1'000);
  text.push_back('.');
  append_padded(text, bounded % 1'000, 3);
  text.push_back('Z');
  return text;
}

Result<UnixSeconds> parse_rfc3339(std::string_view text) {
  // RFC 3339 section 5.6: "T" and "Z" may be lower case.
  Scanner scanner(text);
  Date date{};
  date.year = scanner.number(4);
  scanner.one_of("-");
  date.month = scanner.number(2);
  scanner.one_of("-");
  date.day = scanner.number(2);
  scanner.one_of("Tt");
  const unsigned hour = scanner.number(2);
  scanner.one_of(":");
  const unsigned minute = scanner.number(2);
  scanner.one_of(":");
  const unsigned second = scanner.number(2);
  scanner.fraction();
  const std::string_view zone = scanner.rest();
  if (scanner.failed() || (zone != "Z" && zone != "z" && zone != "+00:00")) {
    return Error{ErrorCode::time_invalid, scanner.offset()};
  }
  if (date.year < 1970 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > days_in_month(date.year, date.month) || hour > 23 || minute > 59 || second > 59) {
    return ErrorCode::time_invalid;
  }
  return UnixSeconds{day_of_date(date) * seconds_per_day + hour * 3'600u + minute * 60u + second};
}

}  // namespace fluxora::core
