// The one file that compiles the bodies of Asio and Beast (separate compilation saves seconds in all others).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
