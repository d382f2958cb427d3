/* What the same work costs by libpq alone: one connection, pipeline mode, binary parameters.
 *
 *   libpq insert CONNINFO TABLE FILE      FILE as rows of 256 KiB in TABLE (document_id, seq, bytes), one
 *                                         transaction, every insert sent before the first answer is read
 *   libpq call CONNINFO STATEMENT...      begin, STATEMENT..., commit, in one batch, as the edge sends it
 *   libpq ask CONNINFO STATEMENT...       STATEMENT... once, to begin with; then each line is a statement
 *
 * Prepares nothing by name. Works once per line on standard input; answers each line with the microseconds
 * from the first byte sent to the last answer read. When asking, the first answer is the backend's process id.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 256 * 1024, BYTEA = 17, INT4 = 23, UUID = 2950 };

static PGconn *connection;

static void fail(const char *what) {
  fprintf(stderr, "libpq: %s: %s", what, connection ? PQerrorMessage(connection) : "\n");
  exit(1);
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void say(const char *statement) {
  if (!PQsendQueryParams(connection, statement, 0, NULL, NULL, NULL, NULL, 0)) fail(statement);
}

/* Reads answers until that of the sync; libpq gives a null between one statement's answer and the next. */
static void read_answers(void) {
  for (;;) {
    PGresult *result = PQgetResult(connection);
    if (!result) continue;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED) fail("the statement failed");
    PQclear(result);
    if (status == PGRES_PIPELINE_SYNC) return;
  }
}

static void finish(void) {
  if (!PQpipelineSync(connection)) fail("sync");
  read_answers();
}

static void insert(const char *statement, const char *bytes, size_t size) {
  unsigned char document[16];
  for (int i = 0; i < 16; i++) document[i] = (unsigned char)rand();
  say("begin");
  for (size_t at = 0, seq = 0; at < size; at += CHUNK, seq++) {
    uint32_t position = htonl((uint32_t)seq);
    size_t length = size - at < CHUNK ? size - at : CHUNK;
    const Oid types[] = {UUID, INT4, BYTEA};
    const char *values[] = {(char *)document, (char *)&position, bytes + at};
    const int lengths[] = {16, 4, (int)length}, formats[] = {1, 1, 1};
    if (!PQsendQueryParams(connection, statement, 3, types, values, lengths, formats, 1)) fail("insert");
    if (PQflush(connection) < 0) fail("flush");
  }
  say("commit");
  finish();
}

static void call(char **statements, int count) {
  say("begin");
  for (int i = 0; i < count; i++) say(statements[i]);
  say("commit");
  finish();
}

static void ask(const char *statement) {
  say(statement);
  finish();
}

static char *whole_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*size + 1);
  if (!bytes || fread(bytes, 1, *size, file) != *size) fail(path);
  fclose(file);
  return bytes;
}

int main(int count, char **argument) {
  int inserting = count == 5 && !strcmp(argument[1], "insert");
  int calling = count > 3 && !strcmp(argument[1], "call");
  int asking = count > 2 && !strcmp(argument[1], "ask");
  if (!inserting && !calling && !asking) {
    fprintf(stderr, "usage: libpq insert CONNINFO TABLE FILE | libpq call|ask CONNINFO STATEMENT...\n");
    return 2;
  }
  connection = PQconnectdb(argument[2]);
  if (PQstatus(connection) != CONNECTION_OK || !PQenterPipelineMode(connection)) fail("connecting");

  char statement[256];
  size_t size = 0;
  char *bytes = NULL;
  if (inserting) {
    snprintf(statement, sizeof statement, "insert into %s (document_id, seq, bytes) values ($1, $2, $3)", argument[3]);
    bytes = whole_file(argument[4], &size);
    srand((unsigned)time(NULL));
  }
  if (asking) {
    for (int i = 3; i < count; i++) ask(argument[i]);
    printf("%d\n", PQbackendPID(connection));
    fflush(stdout);
  }
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    double start = microseconds();
    if (inserting) insert(statement, bytes, size);
    else if (calling) call(argument + 3, count - 3);
    else ask(line);
    printf("%.0f\n", microseconds() - start);
    fflush(stdout);
  }
  PQfinish(connection);
  return 0;
}
