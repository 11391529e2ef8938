// Package pickle says what Python pickles would do when they are loaded, without
// loading them: an abstract interpreter that runs the opcodes of protocols 0 to 5
// in one pass with the stack, mark, memo and frame rules of CPython's unpickler
// (Modules/_pickle.c; Lib/pickle.py where the two differ), on values that keep
// only what a decision needs. A name is resolved by the rules of package rules; a
// call is judged by what its callee can do with its arguments.
//
// It also knows the homes of pickles: several in one file, joblib files with raw
// arrays between the opcodes, NumPy's npy and npz, PyTorch's legacy, tar and zip
// files and TorchScript, and skops.
package pickle
