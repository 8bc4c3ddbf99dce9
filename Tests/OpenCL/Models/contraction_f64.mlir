// Twice the local memory.
func.func @main(%x: tensor<5x17xf64>, %y: tensor<17x6xf64>) -> tensor<5x6xf64> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x17xf64>, tensor<17x6xf64>) -> tensor<5x6xf64>
  return %0 : tensor<5x6xf64>
}
