package ort_test
import ("testing";"context";"github.com/assize/assize/internal/onnx/ort")
func BenchmarkZ(b *testing.B){
	load(b); x,_:=mnist(b)
	r,err:=ort.NewRunner(session(b,freed(b,"mnist-nets/Convnet_maxpool.onnx"),ort.Options{}))
	if err!=nil{b.Fatal(err)}
	out:=make([]float32,10)
	b.Run("bg",func(b *testing.B){ for b.Loop(){ r.Run(context.Background(),x[:784],1,out)}})
	ctx,c:=context.WithCancel(context.Background()); defer c()
	b.Run("ctx",func(b *testing.B){ for b.Loop(){ r.Run(ctx,x[:784],1,out)}})
	b.Run("after",func(b *testing.B){ for b.Loop(){ context.AfterFunc(ctx,func(){})()}})
}
