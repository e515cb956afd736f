#include "json_reader.hpp"

#include <algorithm>

#include "fluxora/core/utf8.hpp"

namespace fluxora::core {
namespace {

constexpr std::uint32_t high_surrogates = 0xd800;
constexpr std::uint32_t low_surrogates = 0xdc00;
constexpr std::uint32_t after_surrogates = 0xe000;

void append_utf8(std::string& output, std::uint32_t code_point) {
  const auto append = [&](std::uint32_t byte) { output.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xc0 | code_point >> 6);
    append(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x1'0000) {
    append(0xe0 | code_point >> 12);
    append(0x80 | (code_point >> 6 & 0x3f));
    append(0x80 | (code_point & 0x3f));
  } else {
    append(0xf0 | code_point >> 18);
    append(0x80 | (code_point >> 12 & 0x3f));
    append(0x80 | (code_point >> 6 & 0x3f));
    append(0x80 | (code_point & 0x3f));
  }
}

/// From front to back; every function says whether what it is named after stood there, and steps over it.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  bool whole_object(std::vector<JsonMember>& members) {
    skip_white_space();
    if (peek() != '{' || !object(members, 1)) return false;
    skip_white_space();
    return at_ == text_.size();
  }

 private:
  /// 0 at the end; a zero byte in the text is a mistake wherever it stands.
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) noexcept {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) noexcept {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void skip_white_space() noexcept {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  bool object(std::vector<JsonMember>& members, std::size_t depth) {
    ++at_;
    skip_white_space();
    if (take('}')) return true;
    do {
      skip_white_space();
      JsonMember& member = members.emplace_back();
      if (!string(member.name)) return false;
      skip_white_space();
      if (!take(':') || !value(member, depth)) return false;
    } while (take(','));
    return take('}') && sort_and_find_no_duplicate(members);
  }

  static bool sort_and_find_no_duplicate(std::vector<JsonMember>& members) {
    std::sort(members.begin(), members.end(), [](const JsonMember& a, const JsonMember& b) { return a.name < b.name; });
    return std::adjacent_find(members.begin(), members.end(), [](const JsonMember& a, const JsonMember& b) {
             return a.name == b.name;
           }) == members.end();
  }

  bool array(std::size_t depth) {
    ++at_;
    skip_white_space();
    if (take(']')) return true;
    do {
      JsonMember element;
      if (!value(element, depth)) return false;
    } while (take(','));
    return take(']');
  }

  /// A value and the white space around it. `depth`: of what it stands in.
  bool value(JsonMember& member, std::size_t depth) {
    skip_white_space();
    if (!bare_value(member, depth)) return false;
    skip_white_space();
    return true;
  }

  bool bare_value(JsonMember& member, std::size_t depth) {
    switch (peek()) {
      case '{': {
        member.kind = JsonKind::object;
        std::vector<JsonMember> inner;
        return depth < json_depth_max && object(inner, depth + 1);
      }
      case '[': member.kind = JsonKind::array; return depth < json_depth_max && array(depth + 1);
      case '"': member.kind = JsonKind::string; return string(member.value);
      case 't': member.kind = JsonKind::boolean; return take_word("true");
      case 'f': member.kind = JsonKind::boolean; return take_word("false");
      case 'n': member.kind = JsonKind::null; return take_word("null");
      default: member.kind = JsonKind::number; return number(member.value);
    }
  }

  bool string(std::string& characters) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const auto byte = static_cast<std::uint8_t>(text_[at_]);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < 0x20) return false;
      if (byte == '\\') {
        ++at_;
        if (!escape(characters)) return false;
        continue;
      }
      const Utf8Sequence sequence = byte < 0x80 ? Utf8Sequence{1, true} : utf8_sequence(text_, at_);
      if (!sequence.valid) return false;
      characters.append(text_, at_, sequence.size);
      at_ += sequence.size;
    }
    return false;
  }

  /// What follows a backslash.
  bool escape(std::string& characters) {
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/': characters.push_back(c); return true;
      case 'b': characters.push_back('\b'); return true;
      case 'f': characters.push_back('\f'); return true;
      case 'n': characters.push_back('\n'); return true;
      case 'r': characters.push_back('\r'); return true;
      case 't': characters.push_back('\t'); return true;
      case 'u': return escaped_code_point(characters);
      default: return false;
    }
  }

  /// What follows \u: four digits, or those of a surrogate pair.
  bool escaped_code_point(std::string& characters) {
    std::uint32_t code_point = 0;
    if (!four_hex_digits(code_point)) return false;
    if (code_point >= high_surrogates && code_point < after_surrogates) {
      std::uint32_t low = 0;
      if (code_point >= low_surrogates || !take_word("\\u") || !four_hex_digits(low)) return false;
      if (low < low_surrogates || low >= after_surrogates) return false;
      code_point = 0x1'0000 + ((code_point - high_surrogates) << 10) + (low - low_surrogates);
    }
    append_utf8(characters, code_point);
    return true;
  }

  bool four_hex_digits(std::uint32_t& number) noexcept {
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        number = number << 4 | static_cast<std::uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        number = number << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  bool number(std::string& written) {
    const std::size_t begin = at_;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('-')) take('+');
      if (!digits()) return false;
    }
    written.assign(text_, begin, at_ - begin);
    return true;
  }

  /// One or more.
  bool digits() noexcept {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<JsonMember>> read_json_object(std::string_view text) {
  std::vector<JsonMember> members;
  if (!Reader(text).whole_object(members)) return std::nullopt;
  return members;
}

const JsonMember* find_member(const std::vector<JsonMember>& sorted, std::string_view name) noexcept {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), name,
                                      [](const JsonMember& member, std::string_view n) { return member.name < n; });
  return found != sorted.end() && found->name == name ? &*found : nullptr;
}

}  // namespace fluxora::core
