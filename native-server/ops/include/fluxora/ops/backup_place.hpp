#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace fluxora::ops {

/// A file of this machine.
struct FilePlace {
  std::string path;
};

/// s3://bucket/key.
struct S3Place {
  std::string bucket;
  std::string key;
};

using BackupPlace = std::variant<FilePlace, S3Place>;

/// Where a backup goes or comes from, or what is wrong with that, as a sentence. SPEC section 11: characters that mean
/// something to a shell are refused, though no shell ever sees them, for scripts will handle the same names.
/// Of a path: letters, digits and / . _ - + = , : @ %, not beginning with "-", at most 4,096; not a folder's name.
/// Of a bucket: S3's own rules. Of a key: letters, digits and / . _ - ~, no empty, "." or ".." segment, at most 1,024.
[[nodiscard]] std::variant<BackupPlace, std::string> parse_place(std::string_view text);

}  // namespace fluxora::ops
