// Narrow floats are summed in f32.
func.func @main(%x: tensor<5x17xbf16>, %y: tensor<17x6xbf16>) -> tensor<5x6xbf16> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<5x17xbf16>, tensor<17x6xbf16>) -> tensor<5x6xbf16>
  return %0 : tensor<5x6xbf16>
}
