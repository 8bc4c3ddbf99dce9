// pass: canonicalize
func.func @fires(%x: tensor<8x5xf32>, %y: tensor<2x5xf32>) -> (tensor<2x2xf32>, tensor<8x5xf32>, tensor<1x5xf32>) {
  %a = stablehlo.slice %x [1:8:2, 0:5] : (tensor<8x5xf32>) -> tensor<4x5xf32>
  %b = stablehlo.slice %a [1:4:2, 1:3] : (tensor<4x5xf32>) -> tensor<2x2xf32>
  %c = stablehlo.slice %x [0:8, 0:5] : (tensor<8x5xf32>) -> tensor<8x5xf32>
  %d = stablehlo.concatenate %x, %y, dim = 0 : (tensor<8x5xf32>, tensor<2x5xf32>) -> tensor<10x5xf32>
  %e = stablehlo.slice %d [9:10, 0:5] : (tensor<10x5xf32>) -> tensor<1x5xf32>
  return %b, %c, %e : tensor<2x2xf32>, tensor<8x5xf32>, tensor<1x5xf32>
}
func.func @stays(%x: tensor<8x5xf32>, %y: tensor<2x5xf32>) -> tensor<3x5xf32> {
  %d = stablehlo.concatenate %x, %y, dim = 0 : (tensor<8x5xf32>, tensor<2x5xf32>) -> tensor<10x5xf32>
  %e = stablehlo.slice %d [7:10, 0:5] : (tensor<10x5xf32>) -> tensor<3x5xf32>
  return %e : tensor<3x5xf32>
}
// expect:
func.func public @fires(%x: tensor<8x5xf32>, %y: tensor<2x5xf32>) -> (tensor<2x2xf32>, tensor<8x5xf32>, tensor<1x5xf32>) {
  %0 = stablehlo.slice %x [3:8:4, 1:3] : (tensor<8x5xf32>) -> tensor<2x2xf32>
  %1 = stablehlo.slice %y [1:2, 0:5] : (tensor<2x5xf32>) -> tensor<1x5xf32>
  return %0, %x, %1 : tensor<2x2xf32>, tensor<8x5xf32>, tensor<1x5xf32>
}
func.func public @stays(%x: tensor<8x5xf32>, %y: tensor<2x5xf32>) -> (tensor<3x5xf32>) {
  %0 = stablehlo.concatenate %x, %y, dim = 0 : (tensor<8x5xf32>, tensor<2x5xf32>) -> tensor<10x5xf32>
  %1 = stablehlo.slice %0 [7:10, 0:5] : (tensor<10x5xf32>) -> tensor<3x5xf32>
  return %1 : tensor<3x5xf32>
}
