#pragma once

#include <string>
#include <string_view>

#include "child_process.hpp"

namespace fluxora::ops {

/// Takes the SQL that pg_restore makes, in pieces, and hands it on as a server of that version understands it. From 17
/// on pg_restore sets transaction_timeout, whatever server it is for, which those before don't know: the line is left
/// out for them. It stands among the first ones.
class ScriptHead {
 public:
  ScriptHead(int server_major, ChildProcess::Take take);
  void take(std::string_view piece);
  /// That was all of it.
  void finish();

 private:
  const ChildProcess::Take take_;
  bool is_over_;
  std::string head_;
};

}  // namespace fluxora::ops
