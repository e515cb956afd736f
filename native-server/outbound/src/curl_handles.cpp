#include "curl_handles.hpp"

#include <new>

namespace fluxora::outbound {

void append_line(HeaderList& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

void set_request_rules(CURL* handle, const std::string& ca_file, const std::string& user_agent) {
  set_option(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(handle, CURLOPT_PROXY, "");  // none, whatever the environment says
  set_option(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set_option(handle, CURLOPT_HTTP09_ALLOWED, 0L);
  // Over HTTP/2 all requests to a host would share one connection, and whatever holds it up.
  set_option(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set_option(handle, CURLOPT_NOSIGNAL, 1L);
  set_option(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set_option(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set_option(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!ca_file.empty()) {
    set_option(handle, CURLOPT_CAINFO, ca_file.c_str());
    set_option(handle, CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // instead of the system's, not besides
  }
  set_option(handle, CURLOPT_USERAGENT, user_agent.c_str());
}

}  // namespace fluxora::outbound
