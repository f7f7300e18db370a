/* A fast stand-in for Step Functions: what stub.py does, in C, so that it is never the limit.
 *
 * One thread, epoll, HTTP/1.1 with keep-alive. Knows GetActivityTask, SendTaskSuccess, SendTaskFailure and
 * SendTaskHeartbeat, and three orders of the benchmark: POST /load, POST /forget (all that was measured until now) and
 * GET /stats. No signature is checked.
 * Prints its port; ends when stdin closes. harness.py compiles it where there is a gcc.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOLD 60.0
#define FILL 580 /* characters of a token before its number */
#define DIGITS 20

typedef struct Conn {
    int fd;
    unsigned long generation; /* tells a delayed answer whether its connection is still the same */
    char *in;
    size_t have, room;
    double until; /* end of the hold, while it waits */
    struct Conn *before, *after;
    int waiting;
} Conn;

typedef struct {
    double handed, beaten;
    int done;
} Token;

typedef struct {
    double due;
    int fd;
    unsigned long generation;
    size_t length;
    char *bytes;
} Delayed;

typedef struct {
    double *values;
    size_t count, room;
} Series;

static struct {
    long left, handed, done, twice, beats;
    double delay, interval, first, last;
} state;
static Token *tokens;
static size_t tokens_room;
static Series latencies, lateness;
static char *input; /* JSON text of the input, as it stands in an answer */
static Conn **conns;
static int conns_room;
static unsigned long generations;
static Conn *waiting_first, *waiting_last;
static long open_polls;
static Delayed *delayed; /* a ring: every answer is delayed by the same time */
static size_t delayed_first, delayed_count, delayed_room;
static int epoll;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *grown(void *old, size_t bytes) {
    void *found = realloc(old, bytes);
    if (!found) {
        perror("stub");
        exit(1);
    }
    return found;
}

static void add(Series *series, double value) {
    if (series->count == series->room) {
        series->room = series->room ? series->room * 2 : 1024;
        series->values = grown(series->values, series->room * sizeof(double));
    }
    series->values[series->count++] = value;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(Series *series, double share) {
    if (!series->count) return 0;
    qsort(series->values, series->count, sizeof(double), ascending);
    return series->values[(size_t)(share * (double)(series->count - 1))] * 1000;
}

static void send_all(int fd, const char *bytes, size_t length) {
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) return; /* gone: reading will tell */
            struct pollfd writable = {fd, POLLOUT, 0};
            poll(&writable, 1, 1000);
            continue;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void answer(Conn *conn, const char *body, size_t length, int at_once) {
    static char *out;
    static size_t room;
    if (room < length + 256) out = grown(out, room = length + 256);
    int head = sprintf(out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %zu\r\n\r\n", length);
    memcpy(out + head, body, length);
    length += (size_t)head;
    if (at_once || state.delay <= 0) {
        send_all(conn->fd, out, length);
        return;
    }
    if (delayed_count == delayed_room) {
        size_t larger = delayed_room ? delayed_room * 2 : 256;
        Delayed *ring = grown(NULL, larger * sizeof(Delayed));
        for (size_t i = 0; i < delayed_count; i++) ring[i] = delayed[(delayed_first + i) % delayed_room];
        free(delayed);
        delayed = ring, delayed_first = 0, delayed_room = larger;
    }
    char *copy = grown(NULL, length);
    memcpy(copy, out, length);
    delayed[(delayed_first + delayed_count++) % delayed_room] =
        (Delayed){now() + state.delay, conn->fd, conn->generation, length, copy};
}

static void hand_out(Conn *conn) {
    static char *body;
    static size_t room;
    size_t length = strlen(input);
    if (room < length + FILL + 256) body = grown(body, room = length + FILL + 256);
    if ((size_t)state.handed == tokens_room) {
        tokens_room = tokens_room ? tokens_room * 2 : 4096;
        tokens = grown(tokens, tokens_room * sizeof(Token));
    }
    double time = now();
    tokens[state.handed] = (Token){time, time, 0};
    if (!state.handed) state.first = time;
    char *end = body + sprintf(body, "{\"taskToken\":\"");
    memset(end, 't', FILL);
    end += FILL;
    end += sprintf(end, "%0*ld\",\"input\":", DIGITS, state.handed);
    memcpy(end, input, length);
    end[length] = '}';
    state.handed++, state.left--;
    answer(conn, body, (size_t)(end - body) + length + 1, 0);
}

static void stop_waiting(Conn *conn) {
    if (!conn->waiting) return;
    *(conn->before ? &conn->before->after : &waiting_first) = conn->after;
    *(conn->after ? &conn->after->before : &waiting_last) = conn->before;
    conn->before = conn->after = NULL;
    conn->waiting = 0, open_polls--;
}

static void start_waiting(Conn *conn) {
    conn->until = now() + HOLD;
    conn->before = waiting_last, conn->after = NULL;
    *(waiting_last ? &waiting_last->after : &waiting_first) = conn;
    waiting_last = conn;
    conn->waiting = 1, open_polls++;
}

static Token *token_in(const char *body, size_t length) {
    const char *found = memmem(body, length, "tttttttttttttttt", 16);
    if (!found || found + FILL + DIGITS > body + length) return NULL;
    long number = strtol(found + FILL, NULL, 10);
    return number >= 0 && number < state.handed ? &tokens[number] : NULL;
}

static void report(Token *token) {
    if (!token || token->done) {
        state.twice++;
        return;
    }
    token->done = 1, state.done++, state.last = now();
    add(&latencies, state.last - token->handed);
}

static void beat(Token *token) {
    state.beats++;
    if (!token) return;
    double time = now(), late = time - token->beaten - state.interval;
    if (state.interval > 0) add(&lateness, late > 0 ? late : 0);
    token->beaten = time;
}

static double number_in(const char *order, const char *name, double otherwise) {
    const char *found = strstr(order, name);
    return found ? strtod(strchr(found, ':') + 1, NULL) : otherwise;
}

static void make_input(size_t size) {
    free(input);
    input = grown(NULL, size + 64);
    char *end = input + sprintf(input, "\"{\\\"n\\\": 1, \\\"text\\\": \\\"");
    memset(end, 'x', size);
    strcpy(end + size, "\\\"}\"");
}

static void load(const char *order) {
    memset(&state, 0, sizeof state);
    latencies.count = lateness.count = 0;
    state.left = (long)number_in(order, "\"tasks\"", 0);
    state.delay = number_in(order, "\"delay\"", 0);
    state.interval = number_in(order, "\"interval\"", 0);
    make_input((size_t)number_in(order, "\"size\"", 180));
    while (state.left && waiting_first) {
        Conn *conn = waiting_first;
        stop_waiting(conn);
        hand_out(conn);
    }
}

static void stats(Conn *conn) {
    char text[512];
    int length = sprintf(text,
        "{\"handed\":%ld,\"done\":%ld,\"twice\":%ld,\"seconds\":%.6f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
        "\"open_polls\":%ld,\"beats\":%ld,\"late_p99_ms\":%.2f}",
        state.handed, state.done, state.twice, state.last - state.first, percentile_ms(&latencies, 0.5),
        percentile_ms(&latencies, 0.99), open_polls, state.beats, percentile_ms(&lateness, 0.99));
    answer(conn, text, (size_t)length, 1);
}

static void serve(Conn *conn, const char *head, char *body, size_t length) {
    const char *target = strcasestr(head, "x-amz-target: AWSStepFunctions.");
    const char *operation = target ? target + 31 : "";
    if (!strncmp(operation, "GetActivityTask", 15)) {
        if (state.left) hand_out(conn);
        else start_waiting(conn);
    } else if (!strncmp(operation, "SendTaskHeartbeat", 17)) {
        beat(token_in(body, length));
        answer(conn, "{}", 2, 0);
    } else if (*operation) {
        report(token_in(body, length));
        answer(conn, "{}", 2, 0);
    } else if (!strncmp(head, "POST /load", 10)) {
        char after = body[length];
        body[length] = 0; /* there is room: read_from keeps one byte */
        load(body);
        body[length] = after;
        answer(conn, "{}", 2, 1);
    } else if (!strncmp(head, "POST /forget", 12)) {
        latencies.count = lateness.count = 0;
        answer(conn, "{}", 2, 1);
    } else {
        stats(conn);
    }
}

static void requests(Conn *conn) {
    size_t used = 0;
    char *end;
    conn->in[conn->have] = 0;
    while ((end = memmem(conn->in + used, conn->have - used, "\r\n\r\n", 4))) {
        char *head = conn->in + used;
        *end = 0; /* for the searches in the head */
        char *sized = strcasestr(head, "content-length:");
        size_t length = sized ? strtoul(sized + 15, NULL, 10) : 0;
        if (used + (size_t)(end + 4 - head) + length > conn->have) {
            *end = '\r';
            break;
        }
        serve(conn, head, end + 4, length);
        used += (size_t)(end + 4 - head) + length;
    }
    memmove(conn->in, conn->in + used, conn->have - used);
    conn->have -= used;
}

static void drop(Conn *conn) {
    stop_waiting(conn);
    close(conn->fd);
    conns[conn->fd] = NULL;
    free(conn->in);
    free(conn);
}

static void read_from(Conn *conn) {
    if (conn->room - conn->have < 4096) conn->in = grown(conn->in, conn->room = conn->room * 2 + 8192);
    ssize_t got = recv(conn->fd, conn->in + conn->have, conn->room - conn->have - 1, 0);
    if (got > 0) {
        conn->have += (size_t)got;
        requests(conn);
    } else if (got == 0 || errno != EAGAIN) {
        drop(conn);
    }
}

static void watch(int fd) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted);
}

static void accept_from(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fd >= conns_room) {
            int larger = fd * 2 + 64;
            conns = grown(conns, (size_t)larger * sizeof(Conn *));
            memset(conns + conns_room, 0, (size_t)(larger - conns_room) * sizeof(Conn *));
            conns_room = larger;
        }
        Conn *conn = conns[fd] = grown(NULL, sizeof(Conn));
        *conn = (Conn){.fd = fd, .generation = ++generations};
        watch(fd);
    }
}

/* Sends what is due; gives the milliseconds until the next thing is. */
static int timers(void) {
    double time = now(), next = time + 3600;
    while (delayed_count && delayed[delayed_first].due <= time) {
        Delayed *due = &delayed[delayed_first];
        Conn *conn = conns[due->fd];
        if (conn && conn->generation == due->generation) send_all(due->fd, due->bytes, due->length);
        free(due->bytes);
        delayed_first = (delayed_first + 1) % delayed_room, delayed_count--;
    }
    if (delayed_count) next = delayed[delayed_first].due;
    while (waiting_first && waiting_first->until <= time) {
        Conn *conn = waiting_first;
        stop_waiting(conn);
        answer(conn, "{}", 2, 1);
    }
    if (waiting_first && waiting_first->until < next) next = waiting_first->until;
    return (int)((next - time) * 1000) + 1;
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    epoll = epoll_create1(0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("stub");
        return 1;
    }
    make_input(180);
    watch(listener);
    watch(STDIN_FILENO);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[512];
        int count = epoll_wait(epoll, events, 512, timers());
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) accept_from(listener);
            else if (fd == STDIN_FILENO) return 0; /* nothing is ever written there: it was closed */
            else if (conns[fd]) read_from(conns[fd]);
        }
    }
}
