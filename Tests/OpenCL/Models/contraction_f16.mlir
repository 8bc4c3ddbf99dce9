// Narrow floats are summed in f32.
func.func @main(%x: tensor<5x17xf16>, %y: tensor<17x6xf16>) -> tensor<5x6xf16> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x17xf16>, tensor<17x6xf16>) -> tensor<5x6xf16>
  return %0 : tensor<5x6xf16>
}
