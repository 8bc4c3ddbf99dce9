// pass: bfloat-products, canonicalize
// Converted once for both products; weights at compile time.
func.func @shared(%x: tensor<?x16xf32>, %y: tensor<16x20xf32>) -> (tensor<?x16xf32>, tensor<?x20xf32>) {
  %w = stablehlo.constant dense<"0x0000803F"> : tensor<16x16xf32>
  %a = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %b = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<?x16xf32>, tensor<16x20xf32>) -> tensor<?x20xf32>
  return %a, %b : tensor<?x16xf32>, tensor<?x20xf32>
}
// As it is: few rows of weights that are no constant; a short depth; few columns; other types.
func.func @left(%x: tensor<2x16xf32>, %y: tensor<16x20xf32>, %z: tensor<20x4xf32>, %d: tensor<2x16xf64>, %e: tensor<16x20xf64>)
    -> (tensor<2x20xf32>, tensor<2x4xf32>, tensor<2x20xf64>) {
  %a = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x16xf32>, tensor<16x20xf32>) -> tensor<2x20xf32>
  %b = stablehlo.dot_general %a, %z, contracting_dims = [1] x [0] : (tensor<2x20xf32>, tensor<20x4xf32>) -> tensor<2x4xf32>
  %c = stablehlo.dot_general %d, %e, contracting_dims = [1] x [0] : (tensor<2x16xf64>, tensor<16x20xf64>) -> tensor<2x20xf64>
  return %a, %b, %c : tensor<2x20xf32>, tensor<2x4xf32>, tensor<2x20xf64>
}
func.func @convolutions(%x: tensor<1x5x5x16xf32>, %y: tensor<1x5x5x3xf32>, %k: tensor<1x1x16x16xf32>) -> (tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>) {
  %w = stablehlo.constant dense<2.0> : tensor<3x3x16x16xf32>
  %v = stablehlo.constant dense<3.0> : tensor<3x3x3x16xf32>
  %a = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x5x5x16xf32>, tensor<3x3x16x16xf32>) -> tensor<1x5x5x16xf32>
  %b = stablehlo.convolution(%y, %v) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {pad = [[1, 1], [1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x5x5x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x5x5x16xf32>
  %c = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x5x5x16xf32>, tensor<1x1x16x16xf32>) -> tensor<1x5x5x16xf32>
  return %a, %b, %c : tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>
}
// expect:
func.func public @shared(%x: tensor<?x16xf32> {tfc.extents = [["x_0", "16"]]}, %y: tensor<16x20xf32>) -> (tensor<?x16xf32>, tensor<?x20xf32>) {
  %0 = stablehlo.convert %x {tfc.extents = [["x_0", "16"]]} : (tensor<?x16xf32>) -> tensor<?x16xbf16>
  %1 = stablehlo.constant dense<1.0> : tensor<16x16xbf16>
  %2 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] {tfc.extents = [["x_0", "16"]]} : (tensor<?x16xbf16>, tensor<16x16xbf16>) -> tensor<?x16xf32>
  %3 = stablehlo.convert %y : (tensor<16x20xf32>) -> tensor<16x20xbf16>
  %4 = stablehlo.dot_general %0, %3, contracting_dims = [1] x [0] {tfc.extents = [["x_0", "20"]]} : (tensor<?x16xbf16>, tensor<16x20xbf16>) -> tensor<?x20xf32>
  return %2, %4 : tensor<?x16xf32>, tensor<?x20xf32>
}
func.func public @left(%x: tensor<2x16xf32>, %y: tensor<16x20xf32>, %z: tensor<20x4xf32>, %d: tensor<2x16xf64>, %e: tensor<16x20xf64>) -> (tensor<2x20xf32>, tensor<2x4xf32>, tensor<2x20xf64>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x16xf32>, tensor<16x20xf32>) -> tensor<2x20xf32>
  %1 = stablehlo.dot_general %0, %z, contracting_dims = [1] x [0] : (tensor<2x20xf32>, tensor<20x4xf32>) -> tensor<2x4xf32>
  %2 = stablehlo.dot_general %d, %e, contracting_dims = [1] x [0] : (tensor<2x16xf64>, tensor<16x20xf64>) -> tensor<2x20xf64>
  return %0, %1, %2 : tensor<2x20xf32>, tensor<2x4xf32>, tensor<2x20xf64>
}
func.func public @convolutions(%x: tensor<1x5x5x16xf32>, %y: tensor<1x5x5x3xf32>, %k: tensor<1x1x16x16xf32>) -> (tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>) {
  %0 = stablehlo.constant dense<3.0> : tensor<3x3x3x16xf32>
  %1 = stablehlo.convert %x : (tensor<1x5x5x16xf32>) -> tensor<1x5x5x16xbf16>
  %2 = stablehlo.constant dense<2.0> : tensor<3x3x16x16xbf16>
  %3 = stablehlo.convolution(%1, %2) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x5x5x16xbf16>, tensor<3x3x16x16xbf16>) -> tensor<1x5x5x16xf32>
  %4 = stablehlo.convolution(%y, %0) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x5x5x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x5x5x16xf32>
  %5 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x5x5x16xf32>, tensor<1x1x16x16xf32>) -> tensor<1x5x5x16xf32>
  return %3, %4, %5 : tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>
}
