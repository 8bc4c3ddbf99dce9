// pass: canonicalize
func.func @fires(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>) -> tensor<2x5xi32> {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %2 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  return %2 : tensor<2x5xi32>
}
func.func @fires_on_constants(%x: tensor<2x3xui8>) -> (tensor<2x2xi32>, tensor<2x2xi32>) {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.constant dense<[[1, -128], [3, 4], [127, 6]]> : tensor<3x2xi32>
  %2 = stablehlo.constant dense<[[1, 255], [3, 4], [0, 6]]> : tensor<3x2xi32>
  %3 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x2xi32>
  %4 = stablehlo.dot_general %0, %2, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x2xi32>
  return %3, %4 : tensor<2x2xi32>, tensor<2x2xi32>
}
func.func @fires_on_differences(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %p: tensor<i32>, %q: tensor<5xi32>) -> tensor<2x5xi32> {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.broadcast_in_dim %p, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
  %2 = stablehlo.subtract %0, %1 : tensor<2x3xi32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %4 = stablehlo.broadcast_in_dim %q, dims = [1] : (tensor<5xi32>) -> tensor<3x5xi32>
  %5 = stablehlo.subtract %3, %4 : tensor<3x5xi32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  return %6 : tensor<2x5xi32>
}
func.func @fires_on_padding(%x: tensor<1x3x7xui8>, %k: tensor<5x3x2xi8>, %z: tensor<ui8>) -> tensor<1x5x8xi32> {
  %0 = stablehlo.convert %x : (tensor<1x3x7xui8>) -> tensor<1x3x7xi32>
  %1 = stablehlo.convert %z : (tensor<ui8>) -> tensor<i32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<1x3x7xi32>
  %3 = stablehlo.subtract %0, %2 : tensor<1x3x7xi32>
  %4 = stablehlo.convert %k : (tensor<5x3x2xi8>) -> tensor<5x3x2xi32>
  %5 = stablehlo.convolution(%3, %4) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [1], pad = [[1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x3x7xi32>, tensor<5x3x2xi32>) -> tensor<1x5x8xi32>
  return %5 : tensor<1x5x8xi32>
}
func.func @stays_along_the_depth(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %p: tensor<3xi32>) -> tensor<2x5xi32> {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.broadcast_in_dim %p, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
  %2 = stablehlo.subtract %0, %1 : tensor<2x3xi32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %4 = stablehlo.dot_general %2, %3, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  return %4 : tensor<2x5xi32>
}
func.func @stays_wide(%x: tensor<2x3xui8>, %y: tensor<3x5xi32>) -> (tensor<2x5xi32>, tensor<2x2xi32>, tensor<2x2xi64>) {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.constant dense<[[1, 256], [3, 4], [0, 6]]> : tensor<3x2xi32>
  %2 = stablehlo.dot_general %0, %y, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  %3 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x2xi32>
  %4 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi64>
  %5 = stablehlo.dot_general %4, %4, contracting_dims = [1] x [1] : (tensor<2x3xi64>, tensor<2x3xi64>) -> tensor<2x2xi64>
  return %2, %3, %5 : tensor<2x5xi32>, tensor<2x2xi32>, tensor<2x2xi64>
}
// expect:
func.func public @fires(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>) -> (tensor<2x5xi32>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x3xui8>, tensor<3x5xi8>) -> tensor<2x5xi32>
  return %0 : tensor<2x5xi32>
}
func.func public @fires_on_constants(%x: tensor<2x3xui8>) -> (tensor<2x2xi32>, tensor<2x2xi32>) {
  %0 = stablehlo.constant dense<[[1, -128], [3, 4], [127, 6]]> : tensor<3x2xi8>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<2x3xui8>, tensor<3x2xi8>) -> tensor<2x2xi32>
  %2 = stablehlo.constant dense<[[1, 255], [3, 4], [0, 6]]> : tensor<3x2xui8>
  %3 = stablehlo.dot_general %x, %2, contracting_dims = [1] x [0] : (tensor<2x3xui8>, tensor<3x2xui8>) -> tensor<2x2xi32>
  return %1, %3 : tensor<2x2xi32>, tensor<2x2xi32>
}
func.func public @fires_on_differences(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %p: tensor<i32>, %q: tensor<5xi32>) -> (tensor<2x5xi32>) {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %2 = stablehlo.broadcast_in_dim %q, dims = [1] : (tensor<5xi32>) -> tensor<3x5xi32>
  %3 = stablehlo.subtract %1, %2 : tensor<3x5xi32>
  %4 = stablehlo.broadcast_in_dim %p, dims = [] : (tensor<i32>) -> tensor<2x5xi32>
  %5 = stablehlo.constant dense<0> : tensor<i32>
  %6 = stablehlo.reduce(%3 init: %5) applies stablehlo.add across dimensions = [0] : (tensor<3x5xi32>, tensor<i32>) -> tensor<5xi32>
  %8 = stablehlo.broadcast_in_dim %6, dims = [1] : (tensor<5xi32>) -> tensor<2x5xi32>
  %9 = stablehlo.broadcast_in_dim %q, dims = [1] : (tensor<5xi32>) -> tensor<2x5xi32>
  %10 = stablehlo.reduce(%0 init: %5) applies stablehlo.add across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
  %12 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<2xi32>) -> tensor<2x5xi32>
  %13 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x3xui8>, tensor<3x5xi8>) -> tensor<2x5xi32>
  %14 = stablehlo.multiply %12, %9 : tensor<2x5xi32>
  %15 = stablehlo.subtract %13, %14 : tensor<2x5xi32>
  %16 = stablehlo.multiply %8, %4 : tensor<2x5xi32>
  %17 = stablehlo.subtract %15, %16 : tensor<2x5xi32>
  return %17 : tensor<2x5xi32>
}
func.func public @fires_on_padding(%x: tensor<1x3x7xui8>, %k: tensor<5x3x2xi8>, %z: tensor<ui8>) -> (tensor<1x5x8xi32>) {
  %0 = stablehlo.convert %z : (tensor<ui8>) -> tensor<i32>
  %1 = stablehlo.convert %k : (tensor<5x3x2xi8>) -> tensor<5x3x2xi32>
  %2 = stablehlo.pad %x, %z, low = [0, 0, 1], high = [0, 0, 1], interior = [0, 0, 0] : (tensor<1x3x7xui8>, tensor<ui8>) -> tensor<1x3x9xui8>
  %3 = stablehlo.constant dense<0> : tensor<i32>
  %4 = stablehlo.reduce(%1 init: %3) applies stablehlo.add across dimensions = [1, 2] : (tensor<5x3x2xi32>, tensor<i32>) -> tensor<5xi32>
  %6 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<5xi32>
  %7 = stablehlo.multiply %4, %6 : tensor<5xi32>
  %8 = stablehlo.broadcast_in_dim %7, dims = [1] : (tensor<5xi32>) -> tensor<1x5x8xi32>
  %9 = stablehlo.convolution(%2, %k) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [1], pad = [[0, 0]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x3x9xui8>, tensor<5x3x2xi8>) -> tensor<1x5x8xi32>
  %10 = stablehlo.subtract %9, %8 : tensor<1x5x8xi32>
  return %10 : tensor<1x5x8xi32>
}
func.func public @stays_along_the_depth(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %p: tensor<3xi32>) -> (tensor<2x5xi32>) {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.broadcast_in_dim %p, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
  %2 = stablehlo.subtract %0, %1 : tensor<2x3xi32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %4 = stablehlo.dot_general %2, %3, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  return %4 : tensor<2x5xi32>
}
func.func public @stays_wide(%x: tensor<2x3xui8>, %y: tensor<3x5xi32>) -> (tensor<2x5xi32>, tensor<2x2xi32>, tensor<2x2xi64>) {
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %1 = stablehlo.constant dense<[[1, 256], [3, 4], [0, 6]]> : tensor<3x2xi32>
  %2 = stablehlo.dot_general %0, %y, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  %3 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x2xi32>
  %4 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi64>
  %5 = stablehlo.dot_general %4, %4, contracting_dims = [1] x [1] : (tensor<2x3xi64>, tensor<2x3xi64>) -> tensor<2x2xi64>
  return %2, %3, %5 : tensor<2x5xi32>, tensor<2x2xi32>, tensor<2x2xi64>
}
