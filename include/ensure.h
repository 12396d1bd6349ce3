/* ensure.h: assertions that stay on in release builds. Only our own bug may stop us: never ensure
 * anything about bytes that came from outside. */
#ifndef GOSSAMER_ENSURE_H
#define GOSSAMER_ENSURE_H

/* ensure_failed prints file, line and the claim to standard error and aborts. It never returns. */
_Noreturn void ensure_failed(const char *file, int line, const char *claim);

/* ensure states one fact that must hold if our own code is right. */
#define ensure(claim) ((claim) ? (void)0 : ensure_failed(__FILE__, __LINE__, #claim))

/* ensure_unreachable marks a branch that cannot be taken, as after a switch over a whole enum. */
#define ensure_unreachable() ensure_failed(__FILE__, __LINE__, "unreachable")

#endif
