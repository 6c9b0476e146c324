#pragma once
#include <microhttpd.h>

// MHD_start_daemon and MHD_get_connection_info are variadic, which Swift cannot call.

// An epoll daemon without listening socket (MHD_add_connection feeds it) whose timeouts are off: deadlines are the caller's.
// The memory pool is what one request's head, and then its answer's head, must fit into.
static inline struct MHD_Daemon *CMicroHTTPD_start(
    unsigned int threads, size_t poolBytes, unsigned int connectionLimit,
    MHD_AccessHandlerCallback handler,
    void *(*target)(void *context, const char *target, struct MHD_Connection *connection),
    size_t (*unescape)(void *context, struct MHD_Connection *connection, char *text),
    MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback notify, void *context)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME
            | MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, handler, context,
        MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, poolBytes,
        MHD_OPTION_CONNECTION_LIMIT, connectionLimit,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_URI_LOG_CALLBACK, target, context,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, context,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_NOTIFY_CONNECTION, notify, context,
        MHD_OPTION_END);
}

static inline int CMicroHTTPD_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static inline const struct sockaddr *CMicroHTTPD_peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

// What NOTIFY_CONNECTION stored in its socket_context.
static inline void *CMicroHTTPD_socketContext(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

// Bytes of the request line and the header lines, with the empty line at their end; 0 while they are still arriving.
static inline size_t CMicroHTTPD_headBytes(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

// The status of the queued answer, also of one that the library made itself; 0 without one.
static inline unsigned int CMicroHTTPD_status(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info ? info->http_status : 0;
}

// Linux's own calls, which the Glibc module does not show.
#include <sys/eventfd.h>
#include <sys/socket.h>

static inline int CMicroHTTPD_streamSocket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int accept4(int, struct sockaddr *, socklen_t *, int);  // declared for _GNU_SOURCE only

static inline int CMicroHTTPD_accept(int listener, struct sockaddr *peer, socklen_t *length)
{
    return accept4(listener, peer, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static inline int CMicroHTTPD_eventfd(void) { return eventfd(0, EFD_CLOEXEC); }

static inline void CMicroHTTPD_signal(int event) { eventfd_write(event, 1); }

enum { CMicroHTTPD_SOCK_STREAM = SOCK_STREAM };
