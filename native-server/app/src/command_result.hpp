#pragma once

#include <iostream>
#include <string>
#include <string_view>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::app {

/// How commands end. SPEC section 11; bad configuration ends them with bad_arguments too.
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_bad_arguments = 2,
  exit_paused = 3,  ///< by a signal, before its end; run again, a rebuild or replay goes on, a verify starts over
};

/// A command's result: one JSON object on stdout, which has nothing else. `write` gets the JsonWriter.
template <class Write>
void print_result(Write write) {
  std::string text;
  core::JsonWriter json(text);
  write(json);
  std::cout << text << std::endl;
}

/// {"success":false,"message":…}; gives the code.
inline int print_failure(int code, std::string_view message) {
  print_result([&](core::JsonWriter& json) {
    json.begin_object();
    json.key("success").boolean(false);
    json.key("message").string(message);
    json.end_object();
  });
  return code;
}

inline constexpr std::string_view database_away = "The database can't be reached.";
inline constexpr std::string_view database_refused =
    "The database refused. Has it this version's schema? (fluxora-server migrate)";

}  // namespace fluxora::app
