// A matrix times a vector.
func.func @main(%x: tensor<70x23xf32>, %y: tensor<23xf32>) -> tensor<70xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<70x23xf32>, tensor<23xf32>) -> tensor<70xf32>
  return %0 : tensor<70xf32>
}
