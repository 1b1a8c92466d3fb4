/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that Python knows nothing of, which call it, as those of an audio or database library do.
 */
#include <pthread.h>
#include <stdlib.h>

struct job {
    void (*call)(void);
    int times;
};

static void *enter(void *argument) {
    const struct job *job = argument;

    for (int i = 0; i < job->times; i++)
        job->call();
    return NULL;
}

/* Have `threads` threads at a time call `call` so often each; 0, or an errno. */
int call_from_threads(void (*call)(void), int threads, int times) {
    pthread_t *ids = calloc((size_t)threads, sizeof *ids);
    struct job job = {call, times};
    int started = 0, error = 0;

    for (; ids && !error && started < threads; started += !error)
        error = pthread_create(&ids[started], NULL, enter, &job);
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    free(ids);
    return error;
}
