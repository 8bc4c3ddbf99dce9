// pass: integer-products
func.func @fires(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %z: tensor<ui8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<0.25> : tensor<f32>
  %t = stablehlo.constant dense<0.25> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xf32>
  %1 = stablehlo.convert %z : (tensor<ui8>) -> tensor<f32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.subtract %0, %2 : tensor<2x3xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<2x3xf32>
  %6 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %7 = stablehlo.broadcast_in_dim %t, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %8 = stablehlo.multiply %7, %6 : tensor<3x5xf32>
  %9 = stablehlo.dot_general %5, %8, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %9 : tensor<2x5xf32>
}
func.func @fires_with_scales_of_rows_and_columns(%x: tensor<2x3xi8>, %y: tensor<5x3xi8>, %z: tensor<5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<[0.5, 3.0]> : tensor<2xf32>
  %t = stablehlo.constant dense<[0.5, 1.25, -2.0, 0.125, 7.0]> : tensor<5xf32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<5x3xi8>) -> tensor<5x3xf32>
  %4 = stablehlo.convert %z : (tensor<5xi8>) -> tensor<5xf32>
  %5 = stablehlo.broadcast_in_dim %4, dims = [0] : (tensor<5xf32>) -> tensor<5x3xf32>
  %6 = stablehlo.subtract %3, %5 : tensor<5x3xf32>
  %7 = stablehlo.broadcast_in_dim %t, dims = [0] : (tensor<5xf32>) -> tensor<5x3xf32>
  %8 = stablehlo.multiply %6, %7 : tensor<5x3xf32>
  %9 = stablehlo.transpose %8, dims = [1, 0] : (tensor<5x3xf32>) -> tensor<3x5xf32>
  %10 = stablehlo.dot_general %2, %9, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %10 : tensor<2x5xf32>
}
func.func @fires_on_convolutions(%x: tensor<1x3x7xui8>, %z: tensor<1xui8>) -> tensor<1x5x8xf32> {
  %t = stablehlo.constant dense<[0.5, 1.25, -2.0, 0.125, 7.0]> : tensor<5xf32>
  %0 = stablehlo.convert %x : (tensor<1x3x7xui8>) -> tensor<1x3x7xf32>
  %1 = stablehlo.convert %z : (tensor<1xui8>) -> tensor<1xf32>
  %2 = stablehlo.reshape %1 : (tensor<1xf32>) -> tensor<f32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<1x3x7xf32>
  %4 = stablehlo.subtract %0, %3 : tensor<1x3x7xf32>
  %5 = stablehlo.constant dense<0.25> : tensor<f32>
  %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<1x3x7xf32>
  %7 = stablehlo.multiply %4, %6 : tensor<1x3x7xf32>
  %8 = stablehlo.constant dense<3> : tensor<5x3x2xi8>
  %9 = stablehlo.convert %8 : (tensor<5x3x2xi8>) -> tensor<5x3x2xf32>
  %10 = stablehlo.constant dense<0> : tensor<i8>
  %11 = stablehlo.convert %10 : (tensor<i8>) -> tensor<f32>
  %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<5x3x2xf32>
  %13 = stablehlo.subtract %9, %12 : tensor<5x3x2xf32>
  %14 = stablehlo.broadcast_in_dim %t, dims = [0] : (tensor<5xf32>) -> tensor<5x3x2xf32>
  %15 = stablehlo.multiply %13, %14 : tensor<5x3x2xf32>
  %16 = stablehlo.convolution(%7, %15) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [1], pad = [[1, 1]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x3x7xf32>, tensor<5x3x2xf32>) -> tensor<1x5x8xf32>
  return %16 : tensor<1x5x8xf32>
}
func.func @stays_where_scales_differ_along_the_depth(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<[0.5, 3.0, 0.1]> : tensor<3xf32>
  %t = stablehlo.constant dense<0.25> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %t, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func @stays_with_floats(%x: tensor<2x3xi8>, %y: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<0.25> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.dot_general %2, %y, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %3 : tensor<2x5xf32>
}
func.func @stays_where_the_sum_may_be_too_large(%x: tensor<2x40000xi8>, %y: tensor<40000x5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<0.25> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x40000xi8>) -> tensor<2x40000xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x40000xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x40000xf32>
  %3 = stablehlo.convert %y : (tensor<40000x5xi8>) -> tensor<40000x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<40000x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<40000x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x40000xf32>, tensor<40000x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func @stays_where_the_scale_is_not_known(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>, %s: tensor<f32>) -> tensor<2x5xf32> {
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func @stays_where_products_of_scales_overflow(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<1e30> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func @stays_where_products_of_scales_are_denormal(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<1e-22> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func @stays_where_the_scale_is_zero(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> tensor<2x5xf32> {
  %s = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3xui8>, %y: tensor<3x5xi8>, %z: tensor<ui8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0.25> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x3xui8>) -> tensor<2x3xi32>
  %2 = stablehlo.convert %z : (tensor<ui8>) -> tensor<i32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
  %4 = stablehlo.subtract %1, %3 : tensor<2x3xi32>
  %5 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %6 = stablehlo.dot_general %4, %5, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  %7 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<f32>
  %8 = stablehlo.multiply %7, %7 : tensor<f32>
  %9 = stablehlo.convert %6 : (tensor<2x5xi32>) -> tensor<2x5xf32>
  %10 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<2x5xf32>
  %11 = stablehlo.multiply %9, %10 : tensor<2x5xf32>
  return %11 : tensor<2x5xf32>
}
func.func public @fires_with_scales_of_rows_and_columns(%x: tensor<2x3xi8>, %y: tensor<5x3xi8>, %z: tensor<5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<[0.5, 3.0]> : tensor<2xf32>
  %1 = stablehlo.constant dense<[0.5, 1.25, -2.0, 0.125, 7.0]> : tensor<5xf32>
  %2 = stablehlo.transpose %y, dims = [1, 0] : (tensor<5x3xi8>) -> tensor<3x5xi8>
  %3 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xi32>
  %4 = stablehlo.convert %2 : (tensor<3x5xi8>) -> tensor<3x5xi32>
  %5 = stablehlo.convert %z : (tensor<5xi8>) -> tensor<5xi32>
  %6 = stablehlo.broadcast_in_dim %5, dims = [1] : (tensor<5xi32>) -> tensor<3x5xi32>
  %7 = stablehlo.subtract %4, %6 : tensor<3x5xi32>
  %8 = stablehlo.dot_general %3, %7, contracting_dims = [1] x [0] : (tensor<2x3xi32>, tensor<3x5xi32>) -> tensor<2x5xi32>
  %9 = stablehlo.convert %8 : (tensor<2x5xi32>) -> tensor<2x5xf32>
  %10 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<2xf32>) -> tensor<2x5xf32>
  %11 = stablehlo.multiply %9, %10 : tensor<2x5xf32>
  %12 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<5xf32>) -> tensor<2x5xf32>
  %13 = stablehlo.multiply %11, %12 : tensor<2x5xf32>
  return %13 : tensor<2x5xf32>
}
func.func public @fires_on_convolutions(%x: tensor<1x3x7xui8>, %z: tensor<1xui8>) -> (tensor<1x5x8xf32>) {
  %0 = stablehlo.constant dense<[0.5, 1.25, -2.0, 0.125, 7.0]> : tensor<5xf32>
  %1 = stablehlo.constant dense<0.25> : tensor<f32>
  %2 = stablehlo.constant dense<3> : tensor<5x3x2xi8>
  %3 = stablehlo.constant dense<0> : tensor<i8>
  %4 = stablehlo.reshape %z : (tensor<1xui8>) -> tensor<ui8>
  %5 = stablehlo.convert %x : (tensor<1x3x7xui8>) -> tensor<1x3x7xi32>
  %6 = stablehlo.convert %4 : (tensor<ui8>) -> tensor<i32>
  %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<i32>) -> tensor<1x3x7xi32>
  %8 = stablehlo.subtract %5, %7 : tensor<1x3x7xi32>
  %9 = stablehlo.convert %2 : (tensor<5x3x2xi8>) -> tensor<5x3x2xi32>
  %10 = stablehlo.convert %3 : (tensor<i8>) -> tensor<i32>
  %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<i32>) -> tensor<5x3x2xi32>
  %12 = stablehlo.subtract %9, %11 : tensor<5x3x2xi32>
  %13 = stablehlo.convolution(%8, %12) dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0], window = {stride = [1], pad = [[1, 1]], lhs_dilate = [1], rhs_dilate = [1], reverse = [false]} {feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x3x7xi32>, tensor<5x3x2xi32>) -> tensor<1x5x8xi32>
  %14 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<5xf32>
  %15 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<5xf32>) -> tensor<5xf32>
  %16 = stablehlo.multiply %14, %15 : tensor<5xf32>
  %17 = stablehlo.convert %13 : (tensor<1x5x8xi32>) -> tensor<1x5x8xf32>
  %18 = stablehlo.broadcast_in_dim %16, dims = [1] : (tensor<5xf32>) -> tensor<1x5x8xf32>
  %19 = stablehlo.multiply %17, %18 : tensor<1x5x8xf32>
  return %19 : tensor<1x5x8xf32>
}
func.func public @stays_where_scales_differ_along_the_depth(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<[0.5, 3.0, 0.1]> : tensor<3xf32>
  %1 = stablehlo.constant dense<0.25> : tensor<f32>
  %2 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %3 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %4 = stablehlo.multiply %2, %3 : tensor<2x3xf32>
  %5 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %6 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %7 = stablehlo.multiply %5, %6 : tensor<3x5xf32>
  %8 = stablehlo.dot_general %4, %7, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %8 : tensor<2x5xf32>
}
func.func public @stays_with_floats(%x: tensor<2x3xi8>, %y: tensor<3x5xf32>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0.25> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x3xf32>
  %4 = stablehlo.dot_general %3, %y, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %4 : tensor<2x5xf32>
}
func.func public @stays_where_the_sum_may_be_too_large(%x: tensor<2x40000xi8>, %y: tensor<40000x5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0.25> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x40000xi8>) -> tensor<2x40000xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x40000xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x40000xf32>
  %4 = stablehlo.convert %y : (tensor<40000x5xi8>) -> tensor<40000x5xf32>
  %5 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<40000x5xf32>
  %6 = stablehlo.multiply %4, %5 : tensor<40000x5xf32>
  %7 = stablehlo.dot_general %3, %6, contracting_dims = [1] x [0] : (tensor<2x40000xf32>, tensor<40000x5xf32>) -> tensor<2x5xf32>
  return %7 : tensor<2x5xf32>
}
func.func public @stays_where_the_scale_is_not_known(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>, %s: tensor<f32>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x3xf32>
  %3 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %4 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %5 = stablehlo.multiply %3, %4 : tensor<3x5xf32>
  %6 = stablehlo.dot_general %2, %5, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}
func.func public @stays_where_products_of_scales_overflow(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<1.0e+30> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x3xf32>
  %4 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %5 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %6 = stablehlo.multiply %4, %5 : tensor<3x5xf32>
  %7 = stablehlo.dot_general %3, %6, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %7 : tensor<2x5xf32>
}
func.func public @stays_where_products_of_scales_are_denormal(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<1.0e-22> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x3xf32>
  %4 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %5 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %6 = stablehlo.multiply %4, %5 : tensor<3x5xf32>
  %7 = stablehlo.dot_general %3, %6, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %7 : tensor<2x5xf32>
}
func.func public @stays_where_the_scale_is_zero(%x: tensor<2x3xi8>, %y: tensor<3x5xi8>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.convert %x : (tensor<2x3xi8>) -> tensor<2x3xf32>
  %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<2x3xf32>
  %4 = stablehlo.convert %y : (tensor<3x5xi8>) -> tensor<3x5xf32>
  %5 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %6 = stablehlo.multiply %4, %5 : tensor<3x5xf32>
  %7 = stablehlo.dot_general %3, %6, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %7 : tensor<2x5xf32>
}
