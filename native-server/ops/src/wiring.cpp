#include "wiring.hpp"

#include <algorithm>
#include <thread>

#include "postgres_programs.hpp"

namespace fluxora::ops {

Wiring::Wiring(const S3Options& s3, const Attention& attention) : s3_(s3), attention_(attention) {}

std::unique_ptr<ArchiveSink> Wiring::sink(const BackupPlace& place) {
  if (const auto* file = std::get_if<FilePlace>(&place)) return std::make_unique<FileSink>(*file);
  return std::make_unique<S3Sink>(object(std::get<S3Place>(place)), part_bytes);
}

std::unique_ptr<ArchiveSource> Wiring::source(const BackupPlace& place) {
  if (const auto* file = std::get_if<FilePlace>(&place)) return std::make_unique<FileSource>(*file);
  return std::make_unique<S3Source>(object(std::get<S3Place>(place)));
}

S3Object Wiring::object(const S3Place& place) {
  client_ = std::make_unique<outbound::AwsClient>(s3_.aws, attention_.stopped);
  const auto send = [this](const outbound::AwsRequest& request) {
    outbound::AwsAnswer answer = client_->send(request);
    if (!request.even_when_stopped && attention_.stopped()) throw Stopped();
    return answer;
  };
  const auto sleep = [this](std::chrono::milliseconds pause) {
    constexpr std::chrono::milliseconds look{100};
    for (; pause.count() > 0; pause -= look) {
      if (attention_.stopped()) throw Stopped();
      std::this_thread::sleep_for(std::min(pause, look));
    }
  };
  return {object_url(s3_, place), {send, sleep}};
}

ChildSetup program(const std::string& path, std::vector<std::string> arguments, const DatabaseAccess& database) {
  ChildSetup setup;
  setup.program = path;
  setup.arguments = std::move(arguments);
  setup.environment = program_environment();
  setup.kept_file = database.service_file;
  return setup;
}

std::string database_argument(const DatabaseAccess& database) {
  return "--dbname=service=" + database.service;
}

}  // namespace fluxora::ops
