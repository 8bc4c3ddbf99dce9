// Extents that are known when the program runs: kernels for few sums and for many.
// kernels: kernel dot_general_few
func.func @main(%x: tensor<?x9xf32>, %y: tensor<9x?xf32>) -> tensor<?x?xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x9xf32>, tensor<9x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
