package stat_test
import ("testing";"math/rand/v2")
func TestZZ(t *testing.T){
 rng:=rand.New(rand.NewPCG(1,1))
 for _,n:=range []int{200,400,1000,5000}{ for _,gap:=range []float64{0,0.03,0.1}{
  l,h:=calibrationMisses(t,rng,300,n,gap); t.Log(n,gap,"truth below",l,"above",h,"of 300")
 }}
}
