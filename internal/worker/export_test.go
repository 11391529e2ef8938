package worker

// Watched is for tests of what a child does when its parent is gone.
var Watched = watched
