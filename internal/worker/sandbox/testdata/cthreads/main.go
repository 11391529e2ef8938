// Command cthreads starts C threads, confines itself if told "inside", and
// lets each of the threads try to escape.
package main

/*
#cgo LDFLAGS: -lpthread
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int released;
static pthread_t all[4];

static void *nothing(void *x) { return x; }

static void *attempt(void *x) {
	pthread_mutex_lock(&mu);
	while (!released) pthread_cond_wait(&changed, &mu);
	pthread_t more;
	int file = open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
	int sock = socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
	int thread = pthread_create(&more, NULL, nothing, NULL);
	if (thread == 0) pthread_join(more, NULL);
	printf("open %d, socket %d, thread %d\n", file, sock, thread);
	pthread_mutex_unlock(&mu);
	return x;
}

static int begin(void) {
	for (int i = 0; i < 4; i++) if (pthread_create(&all[i], NULL, attempt, NULL)) return 1;
	return 0;
}

static void finish(void) {
	pthread_mutex_lock(&mu);
	released = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mu);
	for (int i = 0; i < 4; i++) pthread_join(all[i], NULL);
	fflush(stdout);
}
*/
import "C"

import (
	"fmt"
	"os"
	"time"

	"github.com/assize/assize/internal/worker/sandbox"
)

func main() {
	if C.begin() != 0 {
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == "inside" {
		// One folder is handed over, so that opening is left to landlock.
		policy := sandbox.Policy{ReadOnly: []string{"/usr"}, MemoryBytes: 512 << 20, CPU: 20 * time.Second}
		if _, err := sandbox.Enter(policy); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	C.finish()
}
