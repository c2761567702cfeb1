/* SPDX-License-Identifier: MIT
 *
 * The C library's mathematics, looked for when first needed: only formulas of the simulator and of `rtt` want it, and an agent that need not load
 * the library is ready a tenth sooner. Part of a program that is built with -Dbundle=true; the functions are those of libm.so all the same.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A function of libm. Without it there is no going on: the formula has no other answer. */
static void *found(const char *name)
{
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    void *function = library == NULL ? NULL : dlsym(library, name);
    if (function == NULL) {
        fprintf(stderr, "hearsay: cannot load %s of libm.so.6: %s\n", name, dlerror());
        exit(1);
    }
    return function;
}

typedef double one(double);
typedef double two(double, double);
typedef long rounded(double);

/* The simulator has threads: whichever comes first looks, and all find the same. */
#define FIND(type, name)                          \
    static type *_Atomic function;                \
    type *f = function;                           \
    if (f == NULL) {                              \
        *(void **)(void *)&f = found(name);       \
        function = f;                             \
    }

#define ONE(name)                     \
    double(name)(double x)            \
    {                                 \
        FIND(one, #name)              \
        return f(x);                  \
    }
#define TWO(name)                     \
    double(name)(double x, double y)  \
    {                                 \
        FIND(two, #name)              \
        return f(x, y);               \
    }

ONE(exp)
ONE(expm1)
ONE(lgamma)
ONE(log)
ONE(log1p)
ONE(log2)
ONE(sqrt)
TWO(fmax)
TWO(fmin)
TWO(pow)

long(lround)(double x)
{
    FIND(rounded, "lround")
    return f(x);
}
