// Products of 64-bit integers.
func.func @main(%x: tensor<5x9xi64>, %y: tensor<9x6xi64>) -> tensor<5x6xi64> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x9xi64>, tensor<9x6xi64>) -> tensor<5x6xi64>
  return %0 : tensor<5x6xi64>
}
